/**
 * What this node may give of shared pools, kept in step with the records of the blocks. Two rules hold whatever fails in
 * between: nothing is given before its share is durable here and its record says so, and nothing of it is changed in
 * the record for others before the share is durably smaller. Where the two differ, because an answer was lost or the daemon
 * died, the record is written once more before it is believed: then whatever is still under way comes too late.
 */
import { type Address, addressOf, bitsOf, contains, family, hostPrefix, lengthOf, type Prefix } from "#lib/address.ts";
import { legible } from "#lib/cluster/legible.ts";
import { readBlock, readFixed } from "#lib/cluster/read-record.ts";
import { type BlockRecord, blockKey, KEYS, type NodeId } from "#lib/cluster/records.ts";
import { blockOf } from "#lib/ipam/cut.ts";
import type { Share } from "#lib/state/lease.ts";
import type { Change } from "#lib/store/store.ts";
import { erase, type Ground, isSame, type Read, readNow, replace, TRIES } from "./ground.ts";

export interface Claims {
  /** Takes a block that nobody has. @returns false when somebody was faster @throws SelvedgeError store */
  claim(pool: string, prefix: Prefix): Promise<boolean>;
  /** Makes the node's share of a block what its record says. @throws SelvedgeError store */
  settle(pool: string, prefix: Prefix): Promise<void>;
  /** Gives a share back that nobody uses; nothing happens when somebody does. @throws SelvedgeError store */
  giveBack(share: Share): Promise<void>;
  /** Gives borrowed addresses of a block that nobody uses to another node. @returns how many @throws SelvedgeError store */
  passOn(pool: string, prefix: Prefix, shares: readonly Share[], to: NodeId): Promise<number>;
  /** Gives up to `count` free addresses of a block of ours to another node. @returns how many @throws SelvedgeError store */
  lend(pool: string, prefix: Prefix, to: NodeId, count: number): Promise<number>;
  /**
   * Leaves an address of a block of ours alone, because it is fixed.
   * @param name of the pod here that may have it meanwhile, when it is this node that it is fixed on
   * @returns false: somebody else has it here, or it is lent
   * @throws SelvedgeError store
   */
  leave(pool: string, address: Address, name?: string): Promise<boolean>;
  /** Takes an address of a block of ours back that is fixed no more. @throws SelvedgeError store */
  takeBack(pool: string, address: Address): Promise<void>;
  /** What a node that is gone had of a block: free, or ours where others depend on it. @throws SelvedgeError store */
  inherit(pool: string, prefix: Prefix): Promise<void>;
  /** The share that a record means for this node, and whether it is that already. */
  isSettled(pool: string, prefix: Prefix): boolean;
}

export function claims(ground: Ground): Claims {
  const { self, store, ipam, ledger, lock } = ground;

  const ownShare = (pool: string, prefix: Prefix): Share | undefined =>
    ipam.shares(pool).find((share) => share.prefix === prefix && share.name === undefined);
  /** Single addresses of a block that another node lends us. */
  const borrowed = (pool: string, prefix: Prefix): Share[] =>
    ipam
      .shares(pool)
      .filter(
        (share) => share.name === undefined && share.prefix !== prefix && contains(prefix, addressOf(share.prefix)),
      );

  const keep = async (share: Share): Promise<void> => {
    await store.commit([{ put: "share", value: share }]);
    ipam.own(share);
  };
  /** In memory at once; what follows in the shared store waits for the disk. */
  const drop = async (pool: string, prefix: Prefix): Promise<void> => {
    const ended = ipam.disown(pool, prefix);
    await store.commit([
      { remove: "share", pool, prefix },
      ...ended.map(({ address }): Change => ({ remove: "coolDown", pool, address })),
    ]);
  };
  const shrink = async (share: Share): Promise<void> => {
    ipam.own(share);
    await store.commit([{ put: "share", value: share }]);
  };
  const lose = async (share: Share): Promise<void> => {
    const { used } = ipam.uses(share.pool).find((use) => use.share === share) ?? { used: 0 };
    await drop(share.pool, share.prefix);
    ground.log({ event: "block-lost", pool: share.pool, prefix: share.prefix, used });
  };

  const keyOf = (pool: string, prefix: Prefix): string => blockKey(pool, prefix);
  const read = (pool: string, prefix: Prefix) => readNow(ground, keyOf(pool, prefix), readBlock);
  const write = (record: BlockRecord, before: Read<BlockRecord> | undefined): Promise<boolean> =>
    replace(ground, keyOf(record.pool, record.prefix), { ...record, writes: record.writes + 1 }, before);

  /**
   * The record says, freshly, what is ours. Whoever fixes an address writes that first and looks at the block then; so we
   * look at what is fixed only now, and one of the two has seen the other.
   */
  const begin = async (pool: string, prefix: Prefix): Promise<void> => {
    const newly = await fixedIn(pool, prefix);
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await read(pool, prefix);
      if (now === undefined || !isSame(now.record, self)) return;
      const { record } = now;
      // What a pod here has is left when it ends.
      const missing = newly.filter(
        (address) =>
          !record.fixed.includes(address) &&
          record.lent[address] === undefined &&
          ipam.leaseOf(pool, address) === undefined,
      );
      if (missing.length > 0 && !(await write({ ...record, fixed: [...record.fixed, ...missing] }, now))) continue;
      return keep(shareOf({ ...record, fixed: [...record.fixed, ...missing] }));
    }
  };

  const fixedIn = async (pool: string, prefix: Prefix): Promise<Address[]> => {
    const entries = await ground.shared.list(`${KEYS.fixed}${pool}/`);
    return entries.flatMap((entry) => {
      const address = fixedAddress(entry);
      return address !== undefined && contains(prefix, address) ? [address] : [];
    });
  };

  const settleNow = async (pool: string, prefix: Prefix): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await read(pool, prefix);
      const own = ownShare(pool, prefix);
      if (now === undefined) {
        for (const share of borrowed(pool, prefix)) await lose(share);
        if (own === undefined) return;
        // Nobody can have given anything of it meanwhile that is not in a record.
        if (!(await write({ pool, prefix, ...self, lent: {}, fixed: [], writes: 0 }, undefined))) continue;
        return begin(pool, prefix);
      }
      const { record } = now;
      if (!isSame(record, self)) {
        if (own !== undefined) await lose(own);
        return settleBorrowed(now);
      }
      for (const share of borrowed(pool, prefix)) await drop(pool, share.prefix);
      const lent = withoutNode(record.lent, self);
      const settled = own !== undefined && isEqual(own, shareOf(record)) && lent === record.lent;
      if (settled) return;
      if (await write({ ...record, lent }, now)) return begin(pool, prefix);
    }
  };

  const settleBorrowed = async (now: Read<BlockRecord>): Promise<void> => {
    const { pool, prefix, lent } = now.record;
    const ours = Object.entries(lent).flatMap(([address, to]) => (isSame(to, self) ? [address as Address] : []));
    const there = borrowed(pool, prefix);
    for (const share of there) if (!ours.includes(addressOf(share.prefix))) await lose(share);
    const newly = ours.filter((address) => !there.some((share) => addressOf(share.prefix) === address));
    if (newly.length === 0 || !(await write(now.record, now))) return;
    for (const address of newly) await keep({ pool, prefix: hostPrefix(address), without: [] });
  };

  const isIdle = (share: Share): boolean => {
    const use = ipam.uses(share.pool).find((each) => each.share.prefix === share.prefix);
    return use !== undefined && use.used === 0 && use.cooling === 0;
  };

  const locked = <T>(pool: string, prefix: Prefix, work: () => Promise<T>): Promise<T> =>
    lock(keyOf(pool, prefix), work);

  return {
    claim: (pool, prefix) =>
      locked(pool, prefix, async () => {
        const record = { pool, prefix, ...self, lent: {}, fixed: [], writes: 0 };
        if (!(await write(record, undefined))) {
          await read(pool, prefix);
          return false;
        }
        await begin(pool, prefix);
        return true;
      }),

    settle: (pool, prefix) => locked(pool, prefix, () => settleNow(pool, prefix)),

    giveBack: (share) => {
      const { pool } = share;
      const prefix = blockPrefix(ground, share);
      return locked(pool, prefix, async () => {
        if (!isIdle(share)) return;
        await drop(pool, share.prefix);
        for (let tries = 0; tries < TRIES; tries++) {
          const now = await read(pool, prefix);
          if (now === undefined) return;
          const { record } = now;
          if (share.prefix === prefix) {
            if (!isSame(record, self)) return;
            if (Object.keys(record.lent).length > 0) return settleNow(pool, prefix);
            if (await erase(ground, keyOf(pool, prefix), now)) return;
          } else {
            const lent = withoutAddress(record.lent, addressOf(share.prefix), self);
            if (lent === record.lent || (await write({ ...record, lent }, now))) return;
          }
        }
      });
    },

    passOn: (pool, prefix, shares, to) =>
      locked(pool, prefix, async () => {
        const dropped: Address[] = [];
        for (const share of shares) {
          if (!isIdle(share)) continue;
          await drop(pool, share.prefix);
          dropped.push(addressOf(share.prefix));
        }
        for (let tries = 0; tries < TRIES; tries++) {
          const now = await read(pool, prefix);
          if (now === undefined) return 0;
          const { record } = now;
          const ours = dropped.filter((address) => isSame(record.lent[address] ?? {}, self));
          if (ours.length === 0) return 0;
          const lent = { ...record.lent, ...Object.fromEntries(ours.map((address) => [address, to])) };
          // What its owner has is lent to nobody.
          if (await write({ ...record, lent: isSame(record, to) ? withoutNode(lent, to) : lent }, now))
            return ours.length;
        }
        return 0;
      }),

    lend: (pool, prefix, to, count) =>
      locked(pool, prefix, async () => {
        const now = await read(pool, prefix);
        const own = ownShare(pool, prefix);
        if (now === undefined || own === undefined || !isSame(now.record, self)) return 0;
        if (!isEqual(own, shareOf(now.record))) return 0;
        const addresses = ipam.spare(pool, prefix, count);
        if (addresses.length === 0) return 0;
        await shrink({ ...own, without: [...own.without, ...addresses] });
        const lent = { ...now.record.lent, ...Object.fromEntries(addresses.map((address) => [address, to])) };
        if (await write({ ...now.record, lent }, now)) return addresses.length;
        await settleNow(pool, prefix);
        return 0;
      }),

    leave: (pool, address, name) => {
      const prefix = blockIn(ground, pool, address);
      return locked(pool, prefix, async () => {
        for (let tries = 0; tries < TRIES; tries++) {
          const now = await read(pool, prefix);
          if (now === undefined || !isSame(now.record, self)) return now?.record.fixed.includes(address) ?? true;
          if (now.record.fixed.includes(address)) return true;
          if (now.record.lent[address] !== undefined) return false;
          const lease = ipam.leaseOf(pool, address);
          if (lease !== undefined && (name === undefined || lease.pod !== name)) return false;
          const own = ownShare(pool, prefix);
          if (own !== undefined) await shrink({ ...own, without: [...own.without, address] });
          if (await write({ ...now.record, fixed: [...now.record.fixed, address] }, now)) return true;
          await settleNow(pool, prefix);
        }
        return false;
      });
    },

    takeBack: (pool, address) => {
      const prefix = blockIn(ground, pool, address);
      return locked(pool, prefix, async () => {
        const now = await read(pool, prefix);
        if (now === undefined || !isSame(now.record, self) || !now.record.fixed.includes(address)) return;
        if (ipam.leaseOf(pool, address) !== undefined) return;
        const cooling = ipam.coolOff(pool, address);
        await store.commit([{ put: "coolDown", value: cooling }]);
        const fixed = now.record.fixed.filter((each) => each !== address);
        if (await write({ ...now.record, fixed }, now)) return begin(pool, prefix);
      });
    },

    inherit: (pool, prefix) =>
      locked(pool, prefix, async () => {
        const now = await read(pool, prefix);
        if (now === undefined) return;
        const { record } = now;
        const lent = Object.fromEntries(Object.entries(record.lent).filter(([, to]) => !ground.isGone(to)));
        const returned = Object.keys(record.lent).filter((address) => lent[address as Address] === undefined);
        const inherited = () => {
          ground.log({ event: "block-inherited", pool, prefix, node: record.node, uid: record.uid });
        };
        if (isSame(record, self)) {
          if (returned.length === 0) return;
          const cooling = returned.map((address) => ipam.coolOff(pool, address as Address));
          await store.commit(cooling.map((value): Change => ({ put: "coolDown", value })));
          if (await write({ ...record, lent }, now)) await begin(pool, prefix);
        } else if (!ground.isGone(record)) return;
        else if (Object.keys(lent).length === 0) {
          if (await erase(ground, keyOf(pool, prefix), now)) inherited();
        } else if (await write({ ...record, ...self, lent }, now)) {
          inherited();
          await settleNow(pool, prefix);
        }
      }),

    isSettled(pool, prefix) {
      const record = ledger.block(pool, prefix);
      const own = ownShare(pool, prefix);
      const there = borrowed(pool, prefix).map((share) => addressOf(share.prefix));
      if (record === undefined) return own === undefined && there.length === 0;
      if (isSame(record, self))
        return own !== undefined && isEqual(own, shareOf(record)) && withoutNode(record.lent, self) === record.lent;
      const ours = Object.entries(record.lent).flatMap(([address, to]) => (isSame(to, self) ? [address] : []));
      return own === undefined && ours.length === there.length && ours.every((each) => there.includes(each as Address));
    },
  };
}

/** The block that an address of a shared pool lies in. */
export function blockIn({ pools }: Pick<Ground, "pools">, pool: string, address: Address): Prefix {
  const shape = pools.get(pool);
  if (shape === undefined) throw new Error(`${pool} is not a shared pool`);
  return blockOf(shape, address);
}

/** The block that a share is, or is an address of. */
export const blockPrefix = (ground: Pick<Ground, "pools">, { pool, prefix }: Share): Prefix =>
  lengthOf(prefix) === bitsOf(family(prefix)) ? blockIn(ground, pool, addressOf(prefix)) : prefix;

/** What its record leaves to the owner of a block. */
const shareOf = ({ pool, prefix, lent, fixed }: BlockRecord): Share => ({
  pool,
  prefix,
  without: [...(Object.keys(lent) as Address[]), ...fixed].sort(),
});

const isEqual = (a: Share, b: Share): boolean => {
  const without = new Set(a.without);
  return without.size === new Set(b.without).size && b.without.every((address) => without.has(address));
};

type Lent = BlockRecord["lent"];

/** The same object when nothing of it is the node's. */
function withoutNode(lent: Lent, node: NodeId): Lent {
  const others = Object.entries(lent).filter(([, to]) => !isSame(to, node));
  return others.length === Object.keys(lent).length ? lent : Object.fromEntries(others);
}

function withoutAddress(lent: Lent, address: Address, holder: NodeId): Lent {
  const to = lent[address];
  if (to === undefined || !isSame(to, holder)) return lent;
  return Object.fromEntries(Object.entries(lent).filter(([each]) => each !== address));
}

/** One that nobody can read is fixed for nobody; its key says which address it is all the same. */
function fixedAddress(entry: { readonly key: string; readonly value: string }): Address | undefined {
  const record = legible(entry, readFixed);
  return record === undefined ? (entry.key.slice(entry.key.lastIndexOf("/") + 1) as Address) : record.address;
}
