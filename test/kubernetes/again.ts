/** How long pods that start again have waited, and for whom. The API server's times are whole seconds. */
import { appendFileSync } from "node:fs";
import type { Pod } from "./inside.ts";

export interface Again {
  readonly fault: string;
  /** From the request to the last pod that served, s. */
  readonly wholeS: number;
  /** Of the pod that served last, s: until controllers had made it, until its kubelet knew of it, until it served. */
  readonly parts?: readonly [made: number, known: number, served: number];
}

/** @param sinceMs when they were asked for, ms since the epoch @param pods that serve, the last of them now */
export function again(fault: string, sinceMs: number, pods: readonly Pod[]): Again {
  const wholeS = (Date.now() - sinceMs) / 1_000;
  const [last] = pods.map(timesOf).toSorted((a, b) => b.served - a.served);
  if (last === undefined) throw new RangeError(`${fault}: no pods`);
  const seconds = (ms: number) => Math.max(0, Math.round(ms / 1_000));
  const { made, known, served } = last;
  return { fault, wholeS, parts: [seconds(made - sinceMs), seconds(known - made), seconds(served - known)] };
}

function timesOf({ metadata, status }: Pod): { made: number; known: number; served: number } {
  const ready = status.conditions?.find(({ type }) => type === "Ready");
  const [made = 0, known = 0, served = 0] = [
    metadata.creationTimestamp,
    status.startTime,
    ready?.lastTransitionTime,
  ].map((each) => Date.parse(each ?? ""));
  return { made, known, served };
}

const HEAD = `
Pods start again. Until a kubelet knows of a pod it is for controllers, scheduler and kubelet to ask an API server that is back:
client-go tries again after 30 s, and up to as long again by chance. Then it is for runtime, network and probes.

| after | serve after, s | made | known to kubelet | served |
|---|---|---|---|---|
`;

/** Adds them to the file as a table. */
export function addTable(file: string, all: readonly Again[]): void {
  const rows = all.map(({ fault, wholeS, parts = ["", "", ""] }) => [fault, wholeS.toFixed(1), ...parts]);
  appendFileSync(file, HEAD + rows.map((row) => `| ${row.join(" | ")} |\n`).join(""));
}
