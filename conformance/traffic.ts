/** Real packets between namespaces, by programs that know nothing of the plugin. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Protocol } from "./case.ts";
import { inside, type Ran, run, start } from "./program.ts";

const PEER = ["/usr/bin/python3", "-I", join(import.meta.dirname, "peer.py")];

/** Answers on a port until it is stopped. @throws Error when it cannot listen */
export async function serve(namespace: string, protocol: Protocol, port: number, name: string): Promise<ChildProcess> {
  const child = start(inside(namespace, [...PEER, "serve", protocol, String(port), name]));
  let complaint = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaint += bytes;
  });
  const first = await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit")]);
  if (!String(first[0]).startsWith("ready")) throw new Error(`nobody serves ${protocol} ${port}: ${complaint}`);
  return child;
}

export interface Question {
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly bytes: number;
  readonly deadlineMs: number;
}

/** Asks once; standard output is "name seen-address bytes". */
export function ask({ from, to, port, protocol, bytes, deadlineMs }: Question): Promise<Ran> {
  const seconds = String(deadlineMs / 1_000);
  return run(inside(from, [...PEER, "ask", protocol, to, String(port), seconds, String(bytes)]), {
    deadlineMs: deadlineMs + 5_000,
  });
}

/** Whether an echo request is answered: asked again each 0.2 s, so that address resolution has its time. */
export async function ping(from: string, { to, source, withinS }: Ping): Promise<boolean> {
  const patience = ["-c", "1", "-i", "0.2", "-w", String(withinS)];
  const argv = ["ping", "-n", ...patience, ...(source === undefined ? [] : ["-I", source]), to];
  return (await run(inside(from, argv), { deadlineMs: withinS * 1_000 + 5_000 })).exit === 0;
}

export interface Ping {
  readonly to: string;
  readonly source: string | undefined;
  readonly withinS: number;
}
