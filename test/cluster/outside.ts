/** A machine outside of the cluster, behind the router: it tells whoever connects by which address it sees them. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, run, start, stop } from "../../conformance/program.ts";
import { type Family, LENGTH, ROUTER } from "./place.ts";

export const OUTSIDE = "cl-out";
export const outsideAddress = (family: Family): string => (family === 4 ? "203.0.113.9" : "2001:db8:9::9");
const GATEWAY = { 4: "203.0.113.254", 6: "2001:db8:9::fe" } as const satisfies Record<Family, string>;
const PORT = 7_010;
const TELL = `require("node:net").createServer((s) => s.on("error", () => {}).end(s.remoteAddress)).listen(${PORT}, "::", () => console.log("ready"))`;
const ASK = `
  const socket = require("node:net").connect({ host: process.argv[1], port: ${PORT}, timeout: 1500 });
  socket.on("timeout", () => socket.destroy(new Error("ETIMEDOUT")));
  socket.on("error", ({ code, message }) => console.log(code ?? message)).pipe(process.stdout);`;

export async function makeOutside(): Promise<AsyncDisposable> {
  await makeNamespace(OUTSIDE);
  await ip(OUTSIDE, `link add eth0 type veth peer name to-out netns ${ROUTER}`);
  await ip(ROUTER, "link set to-out up");
  await ip(OUTSIDE, "link set eth0 up");
  for (const family of [4, 6] as const) {
    const nodad = family === 6 ? " nodad" : "";
    await ip(ROUTER, `addr add ${GATEWAY[family]}/${LENGTH[family]} dev to-out${nodad}`);
    await ip(OUTSIDE, `addr add ${outsideAddress(family)}/${LENGTH[family]} dev eth0${nodad}`);
    await ip(OUTSIDE, `-${family} route add default via ${GATEWAY[family]}`);
  }
  const server = start(inside(OUTSIDE, [process.execPath, "-e", TELL]));
  if (server.stdout === null) throw new TypeError("no output");
  await once(createInterface(server.stdout), "line");
  server.stderr?.resume();
  return {
    async [Symbol.asyncDispose]() {
      await stop(server);
      await removeNamespace(OUTSIDE);
    },
  };
}

/** By which address the machine outside sees who connects from the namespace; else the error's code. */
export async function seenFrom(namespace: string, family: Family): Promise<string> {
  const { stdout } = await run(inside(namespace, [process.execPath, "-e", ASK, outsideAddress(family)]));
  return stdout.trim().replace(/^::ffff:/, "");
}

/** @throws Error when the machine outside does not see who connects from the namespace by that address for so long */
export async function seenAs(namespace: string, expected: string, withinMs = 60_000): Promise<void> {
  const family = expected.includes(":") ? 6 : 4;
  const isSeen = async () => (await seenFrom(namespace, family)) === expected || undefined;
  await eventually(`${namespace} seen as ${expected}`, isSeen, withinMs);
}
