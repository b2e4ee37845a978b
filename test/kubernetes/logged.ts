/** A program whose output goes to a file. */
import type { ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { start } from "../../conformance/program.ts";

export function logged(
  file: string,
  argv: readonly string[],
  environment?: Readonly<Record<string, string>>,
): ChildProcess {
  const child = start(argv, environment);
  const log = createWriteStream(file, { flags: "a" });
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
  return child;
}
