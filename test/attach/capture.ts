/** What passes the links of a namespace, by a reader that is not ours: the kernel's packet socket. */
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, inside, start, stop } from "../../conformance/program.ts";

const CAPTURE = ["/usr/bin/python3", "-I", join(import.meta.dirname, "capture.py")];

export interface Capture extends AsyncDisposable {
  /** `control in 10.1.0.5 10.1.0.6`, `control in text`, each once, sorted; then begins anew. */
  seen(): Promise<string[]>;
}

/** How long a packet may be under way, ms. */
const UNDER_WAY_MS = 200;

/** @param text packets that hold it are told of */
export async function capture(namespace: string, text?: string): Promise<Capture> {
  const child = start(inside(namespace, [...CAPTURE, ...(text === undefined ? [] : [text])]));
  if (child.stdout === null || child.stdin === null) throw new TypeError("the capture has no standard streams");
  const { stdin } = child;
  const told = createInterface(child.stdout);
  await once(told, "line");
  let lines = new Set<string>();
  let answered = () => {};
  told.on("line", (line) => (line === "all" ? answered() : lines.add(line)));
  return {
    async seen() {
      await sleep(UNDER_WAY_MS);
      const { promise, resolve } = Promise.withResolvers<void>();
      answered = resolve;
      stdin.write("\n");
      await promise;
      const seen = [...lines].toSorted();
      lines = new Set();
      return seen;
    },
    [Symbol.asyncDispose]: () => stop(child),
  };
}

/** Until a capture has told of all of these; returns everything that it told of. */
export async function toldOf(of: Capture, ...lines: readonly string[]): Promise<readonly string[]> {
  const told: string[] = [];
  await eventually(
    `the capture tells of ${lines.join(", ")}`,
    async () => {
      told.push(...(await of.seen()));
      return lines.every((line) => told.includes(line)) || undefined;
    },
    30_000,
  );
  return told;
}
