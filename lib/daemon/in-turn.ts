/** Addresses of a network that has several pools: for each family by itself, from the first of them that has one free. */
import { type Address, bare, contains, type Family, family, type Prefix } from "#lib/address.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { AddressRequest, Allocation, Ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import type { Core } from "./core.ts";

type Drawing = Pick<Core, "ipam" | "blocks">;
/** Whichever pool it is asked of. */
export type Wish = Pick<AddressRequest, "key" | "requested" | "pod" | "mac">;

/**
 * @param pools at least one, in order; `keeps`: whether what comes of that pool is kept for the name
 * @throws SelvedgeError as `Ipam.allocate`; what has been allocated by then is the key's until it is cancelled
 */
export async function allocateInTurn(
  core: Drawing,
  pools: readonly (string | Pool)[],
  wish: Wish,
  keeps: (pool: string | Pool) => boolean,
): Promise<Allocation> {
  const [first, ...others] = pools;
  if (first === undefined) throw new TypeError("a network without a pool");
  if (others.length === 0) return (core.blocks ?? core.ipam).allocate({ ...wish, pool: first, keep: keeps(first) });
  const found: Allocation[] = [];
  const families = FAMILIES.filter((of) => pools.some((pool) => has(core, pool, of)));
  mustHaveFamilies(pools, families, wish);
  for (const of of families) found.push(await ofFamily(core, pools, of, wish, keeps));
  const mac = found.find((each) => each.mac !== undefined)?.mac;
  return {
    leases: found.flatMap(({ leases }) => leases),
    addresses: found.flatMap(({ addresses }) => addresses),
    ...(mac === undefined ? {} : { mac }),
    ended: found.flatMap(({ ended }) => ended),
    pools: found.flatMap((each) => each.pools),
  };
}

/** Each family has a pool with something free. @throws SelvedgeError pool-exhausted, config-invalid (no such pool) */
export async function mustHaveFreeInTurn(core: Pick<Core, "ipam">, pools: readonly (string | Pool)[]): Promise<void> {
  const [first, ...others] = pools;
  if (first !== undefined && others.length === 0) return core.ipam.mustHaveFree(first);
  for (const of of FAMILIES) {
    const able = pools.filter((pool) => has(core, pool, of));
    if (able.length > 0) await firstOf(able, (pool) => core.ipam.mustHaveFree(pool, of));
  }
}

const FAMILIES: readonly Family[] = [4, 6];

function ofFamily(
  core: Drawing,
  pools: readonly (string | Pool)[],
  of: Family,
  wish: Wish,
  keeps: (pool: string | Pool) => boolean,
): Promise<Allocation> {
  const able = pools.filter((pool) => has(core, pool, of));
  const meant = able.find((pool) => isMeant(core, pool, of, wish));
  const requested = wish.requested?.filter((each) => familyOf(each) === of) ?? [];
  return firstOf(meant === undefined ? able : [meant], (pool) =>
    (core.blocks ?? core.ipam).allocate({ ...wish, pool, keep: keeps(pool), families: [of], requested }),
  );
}

/** What comes of the first that is not used up. @throws SelvedgeError pool-exhausted, told of every one */
async function firstOf<T>(
  pools: readonly (string | Pool)[],
  draw: (pool: string | Pool) => T | Promise<T>,
): Promise<T> {
  const refusals: SelvedgeError[] = [];
  for (const pool of pools) {
    try {
      return await draw(pool);
    } catch (error) {
      if (!isFailure(error, "pool-exhausted")) throw error;
      refusals.push(error);
    }
  }
  throw together(refusals);
}

const nameOf = (pool: string | Pool): string => (typeof pool === "string" ? pool : pool.name);
const familyOf = (asked: Address | Prefix): Family => family(bare(asked));

const subnetsOf = ({ ipam }: { ipam: Ipam }, pool: string | Pool): Prefix[] =>
  ipam.subnets((name) => name === nameOf(pool));
const has = (core: { ipam: Ipam }, pool: string | Pool, of: Family): boolean =>
  subnetsOf(core, pool).some((subnet) => family(subnet) === of);

/** What the pod's name has, or what it asks for, lies in that pool. */
function isMeant(core: Drawing, pool: string | Pool, of: Family, { pod, requested = [] }: Wish): boolean {
  const kept = pod === undefined ? [] : (core.ipam.reservation(nameOf(pool), pod)?.addresses ?? []);
  if (kept.some((address) => family(address) === of)) return true;
  const asked = requested.map(bare).filter((address) => family(address) === of);
  return asked.some((address) => subnetsOf(core, pool).some((subnet) => contains(subnet, address)));
}

function mustHaveFamilies(
  pools: readonly (string | Pool)[],
  families: readonly Family[],
  { requested = [] }: Wish,
): void {
  const strange = requested.map(bare).find((address) => !families.includes(family(address)));
  if (strange === undefined) return;
  throw new SelvedgeError(
    { kind: "address-unavailable", address: strange },
    `pools ${pools.map(nameOf).join(", ")}: ${strange} lies in none of their ranges`,
  );
}

/** One that says it of every pool. */
function together(refusals: readonly SelvedgeError[]): SelvedgeError {
  const [first, ...others] = refusals;
  if (first === undefined) throw new TypeError("nothing was refused");
  if (others.length === 0) return first;
  const message = refusals.map((each) => each.message).join("; ");
  return new SelvedgeError(first.failure, message, first.hint === undefined ? {} : { hint: first.hint });
}
