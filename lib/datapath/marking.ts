/**
 * DSCP and priority of what a pod sends, kept by the node: whatever the pod writes into its packets is replaced. Two
 * maps say what a sender's packets get; the rules are the same for all (`markingChains`).
 */
import type { Mac } from "#lib/address.ts";
import type { Qos } from "#lib/qos.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { Chain } from "./chain.ts";

export interface MarkedSender {
  /** Links by which its packets come in, as `inet` sees them: the pod's own link, or its bridge. */
  readonly inet: string;
  /** Port of a bridge, where frames to neighbours pass that `inet` never sees. */
  readonly port?: string;
  readonly mac: Mac;
}

/**
 * Priority by class selector (the upper three bits of a code point, RFC 2474 section 4.2.2) where none is given: those
 * that pfifo_fast, prio and htb's users know (linux/pkt_sched.h, TC_PRIO_*): best effort, filler, bulk, interactive
 * bulk, interactive, control.
 */
const PRIORITY_OF_CLASS = [0, 1, 2, 2, 4, 6, 7, 7] as const;

/** Nothing unless the network has a code point or a priority. */
export function markElements({ inet, port, mac }: MarkedSender, { dscp, priority }: Qos): ElementFact[] {
  if (dscp === undefined && priority === undefined) return [];
  const codePoint = dscp === undefined ? UNMARKED : `${MARK_MAJOR}:${dscp.toString(16)}`;
  const level = `0:${priority ?? (dscp === undefined ? 0 : PRIORITY_OF_CLASS[dscp >> 3])}`;
  return ([["inet", inet], ...(port === undefined ? [] : ([["bridge", port]] as const))] as const).flatMap(
    ([family, link]) => [
      element(family, "code_point", [link, mac], [codePoint]),
      element(family, "prio_class", [link, mac], [level]),
      element(family, "marked", [link, mac]),
    ],
  );
}

/** Whether the tables need the chains for it. */
export const isMarked = (facts: readonly Fact[]): boolean =>
  facts.some((fact) => fact.type === "element" && fact.set === "marked");

/**
 * nft cannot take a code point out of a map (it shares its byte with ECN), so the packet's priority carries it from the
 * map to the chain that writes it, under a major number that no real priority has.
 */
const MARK_MAJOR = 1;
const UNMARKED = "1:ff";

/** What of a host's packets is to be marked. */
export const MARKED = "iifname . ether saddr @marked";

/** They are called where the sender's link is known and the kernel sets no priority of its own afterwards. */
export const markingChains = (called?: Chain["called"]): readonly Chain[] => [
  ...CODE_POINTS.map((value) => ({ name: `dscp${value}`, rules: [`ip dscp set ${value}`, `ip6 dscp set ${value}`] })),
  {
    name: "remark",
    ...(called === undefined ? {} : { called }),
    rules: [
      "meta priority set iifname . ether saddr map @code_point",
      `meta priority vmap { ${CODE_POINTS.map((value) => `${MARK_MAJOR}:${value.toString(16)} : jump dscp${value}`).join(", ")} }`,
      "meta priority set iifname . ether saddr map @prio_class",
    ],
  },
];

const CODE_POINTS = Array.from({ length: 64 }, (_, i) => i);
