/** What tells the addresses apart by which pods leave the cluster: marks, tables and tunnels. */
import type { Family } from "#lib/address.ts";
import type { RuleFact } from "#lib/state/fact.ts";
import { shortOf } from "../uplink.ts";

/** The highest byte of a packet's mark; the others are whose they were (kube-proxy has bits 14 and 15). */
export const MARK_MASK = 0xff00_0000;

/** As sets have it. @param index of the addresses in the configuration, below `ANSWERS` */
export const markOf = (index: number): string => `0x${(index + 1).toString(16)}000000`;

const PRIORITY = 5_390;
const FIRST_TABLE = 53_000;
/** Of the routes to the holder, on this node alone. */
export const tableOf = (index: number): number => FIRST_TABLE + index;

/** The last of the marks is for answers from outside on their way back to the node of the pod. */
export const ANSWERS = 254;
export const ANSWERS_TABLE = tableOf(ANSWERS);

export const ruleOf = (family: Family, index: number): RuleFact => ({
  type: "rule",
  at: "host",
  family,
  priority: PRIORITY,
  table: tableOf(index),
  mark: { value: Number(markOf(index)), mask: MARK_MASK },
});

/** The tunnel to the holder, one for each family of the network between the nodes, 14 bytes. */
export const egressLink = (name: string, underlay: Family): string => `se${underlay}${shortOf("egress", name)}`;
