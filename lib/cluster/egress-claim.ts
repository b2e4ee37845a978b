/**
 * When a node may take an address that pods leave the cluster by, and how long it may believe that it still holds it.
 * Two nodes never hold one, by two rules:
 *
 * A holder has proof that at some moment its record named it and its liveness entry was the one of before (both read
 * after that moment began); it holds for `holdSeconds` after that, less a margin, and the kernel ends the address
 * then even if nobody tells it to. When its liveness entry was away in between it writes its record anew first.
 *
 * Others take it when the record has stayed the same for `holdSeconds`, seen without a break, and its holder has not been
 * heard of for all of that time: no proof can be newer than the beginning of that time. Only a holder that let it go, and
 * says so in the record, need not be waited for; a record that is missing says nothing.
 *
 * Clocks need not agree, only run at about the same speed.
 */
import { matches } from "#lib/pattern.ts";
import { turn } from "./blocks.ts";
import type { EgressRecord, NodeId } from "./records.ts";

/** What the shared store has of one address. */
export interface SeenClaim {
  /** Opaque; another one for every change. `absent`: there is no record. */
  readonly revision: string;
  readonly record?: EgressRecord;
}

/** That nobody is known to hold it, and since when on the caller's monotonic clock, ms. */
export interface Vacancy {
  readonly revision: string;
  readonly sinceMs: number;
}

/** A kernel takes an address away up to a second late (net/ipv4/devinet.c, check_lifetime, v6.12), and clocks differ. */
const MARGIN_MS = 2_000;
/** How long a candidate gives the one before it to act. */
const STEP_MS = 1_500;

/** @param alive by name: uid of the node that the store hears of */
export function vacancyOf(
  before: Vacancy | undefined,
  { revision, record }: SeenClaim,
  alive: ReadonlyMap<string, string>,
  self: NodeId,
  nowMs: number,
): Vacancy | undefined {
  const isHeld = record?.node !== undefined && record.uid !== self.uid && alive.get(record.node) === record.uid;
  if (isHeld) return undefined;
  return before?.revision === revision ? before : { revision, sinceMs: nowMs };
}

/**
 * When the address may be taken, on the same clock.
 * @param holdSeconds where no record tells
 * @param place of this node among the candidates, from 0
 */
export function dueMs(
  { sinceMs }: Vacancy,
  { record }: SeenClaim,
  { holdSeconds, place }: { readonly holdSeconds: number; readonly place: number },
): number {
  const isFree = record !== undefined && record.node === undefined;
  return sinceMs + (isFree ? 0 : (record?.holdSeconds ?? holdSeconds) * 1_000) + place * STEP_MS;
}

/** Until when an address is held for which there was proof at `provenMs`. */
export const heldUntilMs = (provenMs: number, holdSeconds: number): number =>
  provenMs + holdSeconds * 1_000 - MARGIN_MS;

/**
 * This node's place among those that may hold an address: in the order of the patterns, and within one in an order that
 * differs from address to address. Undefined for a node that may not.
 */
export function placeAmong(
  self: string,
  { name, nodes }: { readonly name: string; readonly nodes: readonly string[] },
  alive: Iterable<string>,
): number | undefined {
  const rank = (node: string): number => nodes.findIndex((pattern) => matches(pattern, node));
  const own = rank(self);
  if (own < 0) return undefined;
  const others = [...alive].filter((node) => node !== self).map((node) => ({ node, rank: rank(node) }));
  const before = others.filter((other) => other.rank >= 0 && other.rank < own).length;
  return (
    before +
    turn(
      self,
      name,
      others.filter((other) => other.rank === own).map(({ node }) => node),
    )
  );
}
