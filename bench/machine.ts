/** Where a run takes place: part of what it found out. */
import { arch, cpus, release, totalmem } from "node:os";

export type Machine = Readonly<Record<string, string | number>>;

/** As one line. */
export const machineText = (machine: Machine): string =>
  Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

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
