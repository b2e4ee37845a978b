/** Where a run takes place: part of what it found out. */
import { arch, cpus, release, totalmem } from "node:os";

export type Machine = Readonly<Record<string, string | number>>;

export function machine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    kernel: release(),
    architecture: arch(),
    processors: processors.length,
    model: processors[0]?.model ?? "unknown",
    memoryGib: Math.round(totalmem() / 2 ** 30),
  };
}
