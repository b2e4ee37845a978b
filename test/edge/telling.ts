/** Who answers whom: by a ping, and by a server that tells whoever connects by which address it sees them. */
import { once } from "node:events";
import { inside, run, start, stop } from "../../conformance/program.ts";

export const PORT = 8_080;

const TELL = `require("node:net").createServer((s) => s.on("error", () => {}).end(s.remoteAddress)).listen(${PORT}, process.argv[1], () => console.log("ready"))`;
const ASK = `require("node:net").connect({ host: process.argv[1], port: Number(process.argv[2]), timeout: 10_000 })
  .on("timeout", function () { this.destroy(); }).on("error", () => {}).pipe(process.stdout);`;

/** @param host that it listens on: all of a family */
export async function telling(namespace: string, host: "0.0.0.0" | "::" = "0.0.0.0"): Promise<AsyncDisposable> {
  const server = start(inside(namespace, [process.execPath, "-e", TELL, host]));
  server.stderr?.resume();
  if (server.stdout !== null) await once(server.stdout, "data");
  return { [Symbol.asyncDispose]: () => stop(server) };
}

/** What it is told; "" when nobody answers. */
export const seen = async (from: string, to: string, port = PORT): Promise<string> =>
  (await run(inside(from, [process.execPath, "-e", ASK, to, `${port}`]))).stdout;

/** For `eventually`: whether one ping from a namespace is answered. */
export const pings = async (from: string, to: string): Promise<true | undefined> =>
  (await run(inside(from, ["ping", "-c1", "-W1", to]))).exit === 0 ? true : undefined;
