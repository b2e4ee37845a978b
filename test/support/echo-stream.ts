/** A long TCP connection between two namespaces: a number every 10 ms, which must come back in its turn. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inside, start, stop } from "../../conformance/program.ts";

const PORT = 7_000;
/** Gives back what it gets. */
const ECHO = `require("node:net").createServer((s) => s.pipe(s)).listen(${PORT}, "::", () => console.log("ready"))`;
/** Each number that comes back in its turn is a line with the time since the one before; anything else ends it. */
const ASK = `
  const [to, bytes, fill] = process.argv.slice(1);
  const socket = require("node:net").connect(${PORT}, to);
  let sent = 0, heard = 0, rest = "", lastMs = performance.now();
  socket.on("connect", () => setInterval(() => socket.write((++sent + " ").padEnd(bytes - 1, fill) + "\\n"), 10));
  socket.on("error", () => process.exit(1)).on("close", () => process.exit(1));
  socket.on("data", (bytes) => {
    const lines = (rest + bytes).split("\\n");
    rest = lines.pop();
    for (const line of lines) {
      if (parseInt(line) !== ++heard) process.exit(2);
      const nowMs = performance.now();
      console.log(heard, Math.round(nowMs - lastMs));
      lastMs = nowMs;
    }
  });`;

export interface EchoStream extends AsyncDisposable {
  /** How many numbers have come back. */
  readonly heard: number;
  /** Exit code of the end that asks; null while the connection lasts. */
  readonly ended: number | null;
  /** The longest time without an answer since this was asked last, ms. */
  longestMs(): number;
}

export interface EchoStreamOptions {
  /** Names of namespaces. */
  readonly from: string;
  readonly to: string;
  /** Of `to`. */
  readonly address: string;
  /** Of each number, with what it is filled up with. */
  readonly bytes?: number;
  readonly fill?: string;
}

/** One for each namespace that it leads to. Resolves when the connection stands. */
export async function echoStream({ from, to, address, bytes = 8, fill = "." }: EchoStreamOptions): Promise<EchoStream> {
  const server = start(inside(to, [process.execPath, "-e", ECHO]));
  if (server.stdout === null) throw new TypeError("no output");
  await once(createInterface(server.stdout), "line");
  const client = start(inside(from, [process.execPath, "-e", ASK, address, String(bytes), fill]));
  if (client.stdout === null) throw new TypeError("no output");
  for (const { stderr } of [server, client]) stderr?.resume();
  let heard = 0;
  let longest = 0;
  let lastMs = performance.now();
  const told = createInterface(client.stdout);
  told.on("line", (line) => {
    const [count, gapMs] = line.split(" ").map(Number);
    heard = count ?? heard;
    longest = Math.max(longest, gapMs ?? 0);
    lastMs = performance.now();
  });
  await Promise.race([once(told, "line"), once(client, "exit")]);
  longest = 0;
  return {
    get heard() {
      return heard;
    },
    get ended() {
      return client.exitCode;
    },
    longestMs() {
      const found = Math.max(longest, Math.round(performance.now() - lastMs));
      longest = 0;
      return found;
    },
    async [Symbol.asyncDispose]() {
      await stop(client);
      await stop(server);
    },
  };
}
