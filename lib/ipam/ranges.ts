/**
 * Reads ranges as host-local names them: `ranges: [[{subnet, rangeStart, rangeEnd, gateway}]]`, or one range flat in
 * the block itself. The same reader serves a network configuration, `runtimeConfig.ipRanges` and the daemon's pools.
 *
 * Not handed out unless it is the only way: an IPv4 network's own address and its broadcast address, an IPv6 network's
 * subnet-router anycast address (RFC 4291 section 2.6.1). A /31 or /127 has two hosts (RFC 3021, RFC 6164), the first
 * of which is the gateway; a /32 or /128 is one host without a gateway in its subnet.
 */
import {
  type Address,
  address,
  addressOf,
  bitsOf,
  contains,
  family,
  fromNumber,
  lengthOf,
  networkOf,
  type Prefix,
  prefix,
  rangeOf,
  toNumber,
} from "#lib/address.ts";
import { absent, type Found, fields, list, optional, refuse } from "#lib/parse.ts";
import type { Range } from "./pool.ts";

/** One set and where it was written. */
export interface FoundSet {
  readonly where: Found;
  readonly ranges: readonly Range[];
}

/** The sets of a `ranges` list. @throws SelvedgeError config-invalid */
export const readSets = (found: Found): FoundSet[] =>
  list(found).map((where) => ({ where, ranges: readSet(where, list(where)) }));

/** `subnet`, `rangeStart`, `rangeEnd`, `gateway` of the block itself, as host-local took them first: one set, or none. */
export const readFlat = (block: Found): FoundSet[] =>
  absent(fields(block)("subnet")) ? [] : [{ where: block, ranges: readSet(block, [block]) }];

/** @throws SelvedgeError config-invalid naming both places where two sets overlap */
export function disjoint(sets: readonly FoundSet[]): (readonly Range[])[] {
  for (const [i, { where, ranges }] of sets.entries())
    for (const other of sets.slice(0, i)) {
      const pair = firstOverlap(ranges, other.ranges);
      if (pair !== undefined)
        refuse(where, `free of overlap: ${spanText(pair[0])} meets ${spanText(pair[1])} of ${other.where.path}`);
    }
  return sets.map(({ ranges }) => ranges);
}

function readSet(found: Found, members: readonly Found[]): Range[] {
  const ranges = members.map(readRange);
  const [first] = ranges;
  if (first === undefined) return refuse(found, "a list of at least one range");
  for (const [i, range] of ranges.entries()) {
    const where = members[i] ?? found;
    if (family(range.subnet) !== family(first.subnet))
      refuse(where, `of the family of ${first.subnet}: IPv4 and IPv6 are separate sets, [[{IPv4}], [{IPv6}]]`);
    const pair = firstOverlap([range], ranges.slice(0, i));
    if (pair !== undefined) refuse(where, `free of overlap with ${spanText(pair[1])} of the same set`);
  }
  return ranges;
}

function readRange(found: Found): Range {
  const at = fields(found);
  const subnet = readSubnet(at("subnet"));
  const usable = usableOf(subnet);
  const gateway = optional(at("gateway"), (given) => sameFamily(given, subnet)) ?? usable.gateway;
  const start = optional(at("rangeStart"), (given) => within(given, subnet));
  const end = optional(at("rangeEnd"), (given) => within(given, subnet));
  if (start !== undefined && end !== undefined && toNumber(start) > toNumber(end))
    refuse(at("rangeEnd"), `at or after rangeStart ${start}`);
  const first = later(start, usable.first);
  const last = earlier(end, usable.last);
  if (toNumber(first) > toNumber(last) || (first === last && first === gateway))
    refuse(found, `a range with an address for a pod in it: ${usable.first} to ${usable.last} but the gateway`);
  return { subnet, first, last, ...(gateway === undefined ? {} : { gateway }) };
}

function readSubnet(found: Found): Prefix {
  if (absent(found)) refuse(found, 'a network such as "10.1.0.0/16"');
  const subnet = prefix(found.value, found.path);
  const network = networkOf(subnet);
  return subnet === network ? subnet : refuse(found, `a network: its host bits must be zero, as in "${network}"`);
}

function within(found: Found, subnet: Prefix): Address {
  const given = address(found.value, found.path);
  return contains(subnet, given) ? given : refuse(found, `an address of ${subnet}`);
}

function sameFamily(found: Found, subnet: Prefix): Address {
  const given = address(found.value, found.path);
  return family(given) === family(subnet) ? given : refuse(found, `an address of the family of ${subnet}`);
}

/** What may be handed out of a subnet, and its gateway unless one is named. */
function usableOf(subnet: Prefix): { first: Address; last: Address; gateway?: Address } {
  const f = family(subnet);
  const { first, last } = rangeOf(subnet);
  const hostBits = bitsOf(f) - lengthOf(subnet);
  if (hostBits === 0) return { first: addressOf(subnet), last: addressOf(subnet) };
  if (hostBits === 1) return { first: fromNumber(first, f), last: fromNumber(last, f), gateway: fromNumber(first, f) };
  const lowest = fromNumber(first + 1n, f);
  return { first: lowest, last: fromNumber(f === 4 ? last - 1n : last, f), gateway: lowest };
}

const later = (asked: Address | undefined, least: Address): Address =>
  asked !== undefined && toNumber(asked) > toNumber(least) ? asked : least;

const earlier = (asked: Address | undefined, most: Address): Address =>
  asked !== undefined && toNumber(asked) < toNumber(most) ? asked : most;

/** The first range of `some` that shares an address with one of `others`, and that one. */
export function firstOverlap(some: readonly Range[], others: readonly Range[]): readonly [Range, Range] | undefined {
  for (const one of some) for (const other of others) if (overlap(one, other)) return [one, other];
  return undefined;
}

const overlap = (a: Range, b: Range): boolean =>
  family(a.subnet) === family(b.subnet) &&
  toNumber(a.first) <= toNumber(b.last) &&
  toNumber(b.first) <= toNumber(a.last);

export const spanText = ({ first, last }: Range): string => `${first}-${last}`;
