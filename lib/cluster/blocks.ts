/** Which blocks a node takes, gives back and lends of. Decisions only: each is carried out by compare-and-swap. */
import { createHash } from "node:crypto";
import type { Family, Prefix } from "#lib/address.ts";
import type { Cut } from "#lib/ipam/cut.ts";
import type { Demand, ShareUse } from "#lib/ipam/sharing.ts";
import type { WantRecord } from "./records.ts";

/** Spread evenly, and the same on every node and after every start. */
const hash = (text: string): bigint => createHash("sha256").update(text).digest().readBigUInt64BE();

/**
 * The block that a node tries to take next: each node begins at a place of its own, so that they seldom meet.
 * @param isOwned what is known to belong to somebody
 */
export function nextBlock(of: Cut, node: string, isOwned: (prefix: Prefix) => boolean): Prefix | undefined {
  if (of.count === 0n) return undefined;
  const start = hash(node) % of.count;
  for (let step = 0n; step < of.count; step++) {
    const prefix = of.at((start + step) % of.count);
    if (!isOwned(prefix)) return prefix;
  }
  return undefined;
}

/**
 * Whether to take another block ahead of need: less than a quarter of what the node has is free. When everything is
 * owned, what can be had is other nodes' own reserve: then only the last address counts.
 */
export const isShort = ({ size, free }: Pick<Demand, "size" | "free">, isAllOwned: boolean): boolean =>
  isAllOwned ? free < 1n : free * 4n < size || size === 0n;

/**
 * What a node may give back of one pool and family: shares that nobody uses, as long as half of the rest stays free,
 * which is twice what would make it take another. Single addresses go first, and one block stays.
 */
export function surplus(uses: readonly ShareUse[], isBlock: (use: ShareUse) => boolean): readonly ShareUse[] {
  let size = sum(uses, (use) => use.size);
  let free = sum(uses, (use) => use.free);
  let blocks = uses.filter(isBlock).length;
  const idle = uses.filter(({ used, cooling }) => used === 0 && cooling === 0);
  const inOrder = [...idle.filter((use) => !isBlock(use)), ...idle.filter(isBlock).reverse()];
  return inOrder.filter((use) => {
    const rest = { size: size - use.size, free: free - use.free };
    if ((isBlock(use) && blocks === 1) || rest.free * 2 < rest.size) return false;
    ({ size, free } = rest);
    if (isBlock(use)) blocks -= 1;
    return true;
  });
}

const sum = <T>(of: readonly T[], number: (each: T) => number): number =>
  of.reduce((all, each) => all + number(each), 0);

/** How many owners feel addressed by a want at first; with each round twice as many. */
const ASKED = 4;
/** Addresses that one owner lends at once. */
const LENT_AT_ONCE = 8;

/**
 * How many addresses a node lends to one that wants some: at most half of what it has, and only if it is its turn. The last
 * one is for a pod that waits: between nodes that only want to have one ahead it would go round for ever.
 */
export function lending(want: WantRecord, node: string, owners: Iterable<string>, free: number): number {
  if (free === 0) return 0;
  const place = (of: string): bigint => hash(`${want.node} ${of}`);
  const own = place(node);
  const half = want.ahead === true ? Math.floor : Math.ceil;
  const asked = ASKED * 2 ** Math.min(want.round, 30);
  const before = new Set<string>();
  for (const other of owners) {
    if (other !== node && other !== want.node && place(other) < own) before.add(other);
    if (before.size >= asked) return 0;
  }
  return Math.min(LENT_AT_ONCE, half(free / 2));
}

/** Its place among all nodes where one of them has to act: they try one after another. */
export function turn(node: string, matter: string, nodes: Iterable<string>): number {
  const own = hash(`${matter} ${node}`);
  let before = 0;
  for (const other of nodes) if (hash(`${matter} ${other}`) < own) before += 1;
  return before;
}

/** `64 blocks, 3 of this node full, none free, 12 borrowed` */
export function blocksText(counts: {
  readonly blocks: bigint;
  readonly own: number;
  readonly unowned: bigint;
  readonly borrowed: number;
}): string {
  const { blocks, own, unowned, borrowed } = counts;
  const free = unowned === 0n ? "none free" : `${unowned} free`;
  return `${blocks} block${blocks === 1n ? "" : "s"}, ${own} of this node full, ${free}, ${borrowed} borrowed`;
}

export const FAMILY_NAME = { 4: "IPv4", 6: "IPv6" } as const satisfies Record<Family, string>;
