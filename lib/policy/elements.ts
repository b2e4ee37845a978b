/**
 * What the kernel is told, one element at a time. A packet that begins a connection is looked up by its peer's class, then
 * by the pod and that class, which gives a row, then by the row and the port: three look-ups on each side, however many
 * pods and policies there are.
 */
import { type Address, family } from "#lib/address.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact } from "#lib/state/fact.ts";
import type { SetName } from "#lib/state/sets.ts";
import type { Direction } from "./objects.ts";
import { HIGHEST, type Row } from "./row.ts";

const SETS = {
  pods: { 4: "policy_pods4", 6: "policy_pods6" },
  self: { 4: "policy_self4", 6: "policy_self6" },
  ingress: { 4: "policy_in4", 6: "policy_in6" },
  egress: { 4: "policy_out4", 6: "policy_out6" },
} as const satisfies Record<string, Record<4 | 6, SetName<"inet">>>;

const CONFINED = {
  ingress: { 4: "confined_in4", 6: "confined_in6" },
  egress: { 4: "confined_out4", 6: "confined_out6" },
} as const satisfies Record<Direction, Record<4 | 6, SetName<"inet">>>;

/** Which class of peers a pod belongs to. */
export const podElement = (address: Address, peers: string): ElementFact =>
  element("inet", SETS.pods[family(address)], [address], [peers]);

/** Policies speak of the pod: what it gets, or sends, is looked at. */
export const confinedElement = (direction: Direction, address: Address): ElementFact =>
  element("inet", CONFINED[direction][family(address)], [address]);

/** A pod reaches itself. */
export const selfElement = (address: Address): ElementFact =>
  element("inet", SETS.self[family(address)], [address, address]);

/** Which row holds between a pod and a class of peers. */
export const pairElement = (direction: Direction, address: Address, peers: string, row: string): ElementFact =>
  element("inet", SETS[direction][family(address)], [address, peers], [row]);

/** Ranges of at most so many ports are told one by one; longer ones are part of the chains (lib/datapath/policy-chains.ts). */
const FEW = 64;

export const rowElements = (id: string, { verdict, exceptions }: Row): ElementFact[] => [
  ...(verdict === "deny" ? [element("inet", "policy_denies", [id])] : []),
  ...exceptions.flatMap(({ protocol, first, last }) => {
    if (first === 0 && last === HIGHEST) return [element("inet", "policy_protocols", [id, protocol])];
    if (last - first >= FEW) return [];
    return Array.from({ length: last - first + 1 }, (_, i) =>
      element("inet", "policy_ports", [id, protocol, String(first + i)]),
    );
  }),
];

/** Exceptions of a row that are not among its elements: `8000-9000` of a protocol. */
export const longRanges = (id: string, { exceptions }: Row): LongRange[] =>
  exceptions
    .filter(({ first, last }) => last - first >= FEW && last - first < HIGHEST)
    .map((range) => ({ row: id, ...range }));

export interface LongRange {
  readonly row: string;
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
}
