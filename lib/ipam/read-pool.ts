/** Pools from the daemon's configuration, and from the store, which spells them alike. */
import {
  address,
  addressOf,
  contains,
  family,
  hostPrefix,
  lengthOf,
  networkOf,
  type Prefix,
  prefix,
  toNumber,
} from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { meeting, type Span } from "#lib/meeting.ts";
import { type Found, fields, integer, list, optional, refuse, text } from "#lib/parse.ts";
import type { Pool, Range } from "./pool.ts";
import { disjoint, firstOverlap, readSets, spanText } from "./ranges.ts";

/** Colons are kept for the pools of networks (`network-pool.ts`). */
const POOL_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/**
 * `[{name, ranges: [[{subnet, rangeStart, rangeEnd, gateway}]], exclude: []}]`; every pool's ranges lie apart from
 * every other's, but for pools that are never at the same place.
 * @throws SelvedgeError config-invalid, naming both pools where two overlap
 */
export function readPools(found: Found, placesOf: (pool: string) => Iterable<string> = anywhere): Pool[] {
  const pools = list(found).map((each) => {
    const name = fields(each)("name");
    if (!POOL_NAME.test(text(name))) refuse(name, "a name of letters, digits, _, . and -");
    return readPool(text(name), each);
  });
  const names = new Set<string>();
  for (const { name } of pools) {
    if (names.has(name)) throw wrong(found.path, `two pools are called ${name}`);
    names.add(name);
  }
  const spans = pools.flatMap((pool, of) => spansOf(pool, of, placesOf(pool.name)));
  for (const [one, other] of meeting(spans).map((pair) => pair.map((i) => pools[i]))) {
    const pair = firstOverlap(one?.sets.flat() ?? [], other?.sets.flat() ?? []);
    const [here, there] = pair?.map(spanText) ?? [];
    throw wrong(found.path, `${here} of pool ${one?.name} overlaps ${there} of pool ${other?.name}`);
  }
  return pools;
}

const anywhere = (): string[] => [""];

const spansOf = ({ sets }: Pool, of: number, places: Iterable<string>): Span[] =>
  [...places].flatMap((place) =>
    sets.flat().map(({ subnet, first, last }) => ({
      of,
      place: `${family(subnet)} ${place}`,
      first: toNumber(first),
      last: toNumber(last),
    })),
  );

/** `{ranges, exclude, blocks}`; `blocks` as `Pool` has it. @throws SelvedgeError config-invalid */
export function readPool(name: string, found: Found): Pool {
  const at = fields(found);
  const sets = disjoint(readSets(at("ranges")));
  if (sets.length === 0) refuse(at("ranges"), 'a list of sets of ranges, as in [[{"subnet": "10.1.0.0/16"}]]');
  const blocks = optional(at("blocks"), (given) => {
    const length = fields(given);
    return { 4: integer(length("4"), { min: 0, max: 32 }), 6: integer(length("6"), { min: 0, max: 128 }) };
  });
  return {
    name,
    sets,
    exclude: excluded(readExclude(at("exclude")), sets.flat(), at("exclude").path),
    ...(blocks === undefined ? {} : { blocks }),
  };
}

/** Addresses and prefixes. @throws SelvedgeError config-invalid */
export const readExclude = (found: Found): Prefix[] =>
  list(found).map(({ value, path }) =>
    typeof value === "string" && value.includes("/") ? prefix(value, path) : hostPrefix(address(value, path)),
  );

/** What lies nowhere in the pool is a slip of the pen. @throws SelvedgeError config-invalid */
export function excluded(exclude: readonly Prefix[], ranges: readonly Range[], field: string): Prefix[] {
  return exclude.map((given) => {
    const network = networkOf(given);
    const inside = ranges.some(
      ({ subnet }) =>
        family(subnet) === family(network) &&
        (lengthOf(subnet) <= lengthOf(network)
          ? contains(subnet, addressOf(network))
          : contains(network, addressOf(subnet))),
    );
    if (!inside) throw wrong(field, `${network} is in none of ${ranges.map(({ subnet }) => subnet).join(", ")}`);
    return network;
  });
}

const wrong = (field: string, what: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, `${field}: ${what}`);
