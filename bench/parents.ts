/** The links of the node that attachments hang on: cables whose other end is plugged into nothing. */
import type { Parent, Subject } from "./chain.ts";
import { must } from "./pods.ts";
import { runSync } from "./process.ts";

export function makeParents(subjects: readonly Subject[]): void {
  for (const name of new Set(subjects.flatMap(({ parent }) => parent?.name ?? []))) {
    must(["ip", "link", "add", name, "type", "veth", "peer", "name", `${name}-far`]);
    for (const end of [name, `${name}-far`]) must(["ip", "link", "set", end, "up"]);
  }
}

/** Whether the kernel has links of the kind: where it has them, it complains of what was not said. */
export function canCarry({ carries }: Parent): boolean {
  const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const { stderr } = runSync({ argv: ["ip", "link", "add", "name", "probe", "type", carries], environment, input: "" });
  return !stderr.includes("Unknown device type");
}
