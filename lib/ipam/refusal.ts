/** Why no address can be given, in numbers that an operator can act on. */
import type { Address, Family } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Supply } from "./supply.ts";

/**
 * `pool std: 242 of 254 used, 3 cooling down, 12 reserved, next free in 41 s`; those that cool down are among the used,
 * and those that are reserved for names that do not run are not.
 */
export function exhausted(pool: string, of: Supply, all: readonly Supply[], nowMs: number): SelvedgeError {
  const { leased, cooling, reserved, nextFreeMs } = of.count(nowMs);
  const next =
    nextFreeMs === undefined ? "none will be free before a pod is deleted" : `next free in ${seconds(nextFreeMs)}`;
  return new SelvedgeError(
    { kind: "pool-exhausted", pool, ...(nextFreeMs === undefined ? {} : { freeInMs: nextFreeMs }) },
    `pool ${pool}${which(of, all)}: ${leased + BigInt(cooling)} of ${of.size} used, ${cooling} cooling down, ${reserved === 0 ? "" : `${reserved} reserved, `}${next}`,
    { hint: "`selvedgectl ipam` shows who holds the addresses; enlarge the pool's ranges if all of them are needed." },
  );
}

export const unavailable = (pool: string, address: Address, why: string, hint?: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "address-unavailable", address },
    `pool ${pool}: ${address} ${why}`,
    hint === undefined ? {} : { hint },
  );

export const seconds = (ms: number): string => `${Math.ceil(ms / 1000)} s`;

/** Nothing for a pool of one set, else the family, else (two sets of one family) its place. */
function which(of: Supply, all: readonly Supply[]): string {
  if (all.length === 1) return "";
  const alike = all.filter((each) => each.family === of.family);
  return alike.length === 1 ? ` (${NAME[of.family]})` : ` (${NAME[of.family]}, set ${all.indexOf(of) + 1})`;
}

const NAME = { 4: "IPv4", 6: "IPv6" } as const satisfies Record<Family, string>;
