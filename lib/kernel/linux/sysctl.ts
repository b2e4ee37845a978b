/** Sysctl facts to the kernel. A value that was once set stays when its fact goes: what it was before is not known. */
import type { Op } from "#lib/state/diff.ts";
import { writeSysctl } from "#native/namespace.ts";
import type { Place } from "./place.ts";

/** @throws SelvedgeError kernel (ENOENT: the kernel has no such setting) */
export function writeSysctls(place: Place, ops: readonly Op[]): void {
  for (const { do: verb, fact } of ops)
    if (verb !== "remove" && fact.type === "sysctl") writeSysctl(place.netns, fact.key, fact.value);
}
