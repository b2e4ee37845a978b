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

/** Two echo requests at most: the first may be lost to address resolution. */
export async function ping(from: string, to: string, source?: string): Promise<boolean> {
  const argv = ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", ...(source === undefined ? [] : ["-I", source]), to];
  const ran = await run(inside(from, argv), { deadlineMs: 6_000 });
  return / [12] received/.test(ran.stdout);
}
