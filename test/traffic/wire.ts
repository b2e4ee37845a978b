/** Packets and flows between namespaces, by programs that know nothing of Selvedge. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inside, must, start, stop } from "../../conformance/program.ts";

const program = (name: string): string[] => ["/usr/bin/python3", "-I", join(import.meta.dirname, name)];

export interface Packet {
  readonly link: string;
  readonly way: "in" | "out";
  /** With its IP header; of a fragment, its own. */
  readonly bytes: number;
  /** The byte of DSCP and ECN, in either family. */
  readonly tos: number;
  /** linux/in.h */
  readonly protocol: number;
  readonly src: string;
  readonly dst: string;
  readonly sport?: number;
  readonly dport?: number;
  /** The packet in a tunnel, with its VNI or session. */
  readonly carries?: Omit<Packet, "link" | "way" | "bytes"> & { readonly number: number };
}

export interface Wire extends AsyncDisposable {
  /** Everything that passed since the beginning. */
  readonly packets: readonly Packet[];
}

export async function wire(namespace: string): Promise<Wire> {
  const child = start(inside(namespace, program("wire.py")));
  const lines = createInterface(standardOutput(child));
  await once(lines, "line");
  const packets: Packet[] = [];
  lines.on("line", (line) => packets.push(JSON.parse(line) as Packet));
  return { packets, [Symbol.asyncDispose]: () => stop(child) };
}

export async function sink(namespace: string, port: number): Promise<ChildProcess> {
  const child = start(inside(namespace, [...program("flow.py"), "sink", String(port)]));
  await once(createInterface(standardOutput(child)), "line");
  return child;
}

/** Bits per second that arrive of a TCP stream of so many seconds. */
export async function flow(
  from: string,
  { to, port, seconds, source }: { to: string; port: number; seconds: number; source?: string },
): Promise<number> {
  const argv = [...program("flow.py"), "send", to, String(port), String(seconds)];
  return Number(await must(inside(from, source === undefined ? argv : [...argv, source]), { deadlineMs: 30_000 }));
}

function standardOutput({ stdout }: ChildProcess) {
  if (stdout === null) throw new TypeError("the program has no standard output");
  return stdout;
}
