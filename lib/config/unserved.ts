/** What a network asks for in vain where its pods' packets do not pass the node: at ADD it would fail every pod. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { ATTACHMENTS } from "./schema.ts";
import type { Path } from "./yaml.ts";

/** Types whose packets pass the node; lib/attach knows by what they build, and a test holds the two together. */
export const SERVED: readonly (typeof ATTACHMENTS)[number][] = ["ptp", "bridge"];

export function unservedWishes(root: unknown, network: unknown, i: number): Complaint[] {
  const given = lookUp(network, ["attachment"]) ?? lookUp(root, ["defaults", "attachment"]) ?? "ptp";
  const type = ATTACHMENTS.find((known) => known === given);
  if (type === undefined || SERVED.includes(type)) return [];
  // The node has the other end of such a function, and sees its packets there.
  if (type === "sriov" && lookUp(network, ["options", "representor"]) !== undefined) return [];
  const refused = (path: Path, value: unknown): Complaint =>
    complaint(
      ["networks", i, ...path],
      `${JSON.stringify(value)} is not possible with attachment "${type}", whose packets do not pass the node; types that have it: ${SERVED.join(", ")}`,
    );
  const qos = lookUp(network, ["qos"]);
  return [
    ...(lookUp(network, ["spoofProtection"]) === true ? [refused(["spoofProtection"], true)] : []),
    ...Object.entries(typeof qos === "object" && qos !== null ? qos : {}).flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [refused(["qos", key], value)],
    ),
  ];
}
