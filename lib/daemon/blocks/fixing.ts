/**
 * Addresses that are fixed for a name, on whichever node its pod is. A node that wants one writes itself into the
 * address' record, by compare-and-swap; then it waits until the owner of the block that the address lies in leaves it
 * alone, which the owner says in the block's record. Both look only after they have written, so one of them sees the
 * other.
 */
import { type Address, addressOf, hostPrefix, type Mac } from "#lib/address.ts";
import { turn } from "#lib/cluster/blocks.ts";
import { readBlock, readFixed } from "#lib/cluster/read-record.ts";
import { blockKey, type FixedRecord, fixedKey } from "#lib/cluster/records.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Share } from "#lib/state/lease.ts";
import { blockIn, type Claims } from "./claims.ts";
import { erase, type Ground, isSame, type Read, readNow, replace, TRIES } from "./ground.ts";

/** Whose address it is to be. */
export interface Keeper {
  readonly pool: string;
  readonly name: string;
  readonly mac?: Mac;
}

export interface Fixing {
  /**
   * Has the addresses on this node for the name, at least until it is disposed of, and as long as they are leased.
   * @throws SelvedgeError not-ready: its pod is on another node, or the owner of the block has not answered;
   * address-unavailable: another name's; store
   */
  secure(keeper: Keeper, addresses: readonly Address[]): Promise<Disposable>;
  /** Says that the address is the name's, without having it. @throws SelvedgeError address-unavailable: another name's; store */
  declare(keeper: Keeper, address: Address): Promise<void>;
  /** Gives back what ended, makes room for others, and forgets what is fixed for nobody. @throws SelvedgeError store */
  tend(): Promise<void>;
}

/** How long an ADD waits for the owner of a block. */
const PATIENCE_MS = 2_000;
/** Those that could forget an address that is fixed for nobody do so one after another. */
const TURN_MS = 5_000;

export interface FixingOptions {
  /** How long an address that is fixed for nobody stays with nobody, milliseconds. */
  readonly restMs: number;
}

export function fixing(ground: Ground, claims: Claims, { restMs }: FixingOptions): Fixing {
  const { self, store, ipam, ledger, lock, clockMs } = ground;
  /** How many ADDs are about to use a fixed address, by key. */
  const pins = new Map<string, number>();
  /** Since when an address is fixed for nobody, by key. */
  let orphans = new Map<string, number>();

  const pin = (key: string, by: number): void => {
    const now = (pins.get(key) ?? 0) + by;
    if (now === 0) pins.delete(key);
    else pins.set(key, now);
  };
  const read = (pool: string, address: Address) => readNow(ground, fixedKey(pool, address), readFixed);
  const shareOf = (pool: string, address: Address): Share | undefined =>
    ipam.shares(pool).find((share) => share.name !== undefined && share.prefix === hostPrefix(address));

  const drop = async ({ pool, prefix }: Share): Promise<void> => {
    ipam.disown(pool, prefix);
    await store.commit([{ remove: "share", pool, prefix }]);
  };

  /** Nobody is on this node by the address any more. */
  const release = async (pool: string, address: Address): Promise<void> => {
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await read(pool, address);
      if (now === undefined || !isSame(now.record, self)) return;
      const { node: _, uid: __, ...rest } = now.record;
      const key = fixedKey(pool, address);
      if (await replace(ground, key, { ...rest, writes: rest.writes + 1 } satisfies FixedRecord, now)) return;
    }
  };

  const claim = async ({ pool, name, mac }: Keeper, address: Address): Promise<void> => {
    const key = fixedKey(pool, address);
    for (let tries = 0; tries < TRIES; tries++) {
      const now = await read(pool, address);
      mustBeFree(now, { pool, name }, address);
      const record = { pool, address, name, ...self, ...(mac === undefined ? {} : { mac }) };
      const writes = (now?.record.writes ?? 0) + 1;
      if (await replace(ground, key, { ...record, writes } satisfies FixedRecord, now)) return;
    }
    throw notReady(`pool ${pool}: ${address} of ${name} is wanted by several nodes at once`);
  };

  const mustBeFree = (now: Read<FixedRecord> | undefined, { pool, name }: Keeper, address: Address): void => {
    if (now === undefined) return;
    const { record } = now;
    if (record.name !== name) throw anothers(pool, address, record.name);
    if (record.node === undefined || record.uid === undefined || isSame(record, self)) return;
    if (ground.isGone({ node: record.node, uid: record.uid })) return;
    throw notReady(`pool ${pool}: ${address} is fixed for ${name}, which is on node ${record.node} still`);
  };

  /** Waits until the owner of the block leaves the address alone. */
  const beLeft = async ({ pool, name }: Keeper, address: Address): Promise<void> => {
    const prefix = blockIn(ground, pool, address);
    const deadlineMs = clockMs() + PATIENCE_MS;
    for (;;) {
      const now = await readNow(ground, blockKey(pool, prefix), readBlock);
      if (now === undefined || now.record.fixed.includes(address)) return;
      const { node } = now.record;
      if (isSame(now.record, self)) {
        if (await claims.leave(pool, address, name)) return;
        const holder = ipam.leaseOf(pool, address);
        const lent = now.record.lent[address]?.node;
        if (lent === undefined)
          throw notReady(
            `pool ${pool}: ${address} is fixed for ${name}, but held by container ${holder?.containerId ?? "?"}${holder?.pod === undefined ? "" : ` (${holder.pod})`}`,
          );
      }
      if (clockMs() >= deadlineMs)
        throw notReady(
          `pool ${pool}: ${address} is fixed for ${name}, but node ${now.record.lent[address]?.node ?? node} has not made room for it: another pod may have it there`,
        );
      await ground.news(deadlineMs - clockMs());
    }
  };

  const hold = async (keeper: Keeper, address: Address): Promise<void> => {
    const { pool, name } = keeper;
    if (shareOf(pool, address)?.name === name) return;
    await claim(keeper, address);
    try {
      await beLeft(keeper, address);
      const share: Share = { pool, prefix: hostPrefix(address), without: [], name };
      await store.commit([{ put: "share", value: share }]);
      ipam.own(share);
    } catch (error) {
      // Else the next look at what this node has of fixed addresses does it.
      await release(pool, address).catch((second: unknown) => {
        if (!isFailure(second)) throw second;
      });
      throw error;
    }
  };

  const giveBack = (pool: string, address: Address): Promise<void> => {
    const key = fixedKey(pool, address);
    return lock(key, async () => {
      if (pins.has(key) || ipam.leaseOf(pool, address) !== undefined) return;
      const share = shareOf(pool, address);
      if (share !== undefined) await drop(share);
      await release(pool, address);
    });
  };

  /** What is on this node by the records or by its own books, and is not used. */
  const giveBackUnused = async (): Promise<void> => {
    const unused = new Map<string, { readonly pool: string; readonly address: Address }>();
    for (const { pool, prefix, name } of ipam.shares())
      if (name !== undefined) unused.set(fixedKey(pool, addressOf(prefix)), { pool, address: addressOf(prefix) });
    for (const record of ledger.allFixed())
      if (isSame(record, self)) unused.set(fixedKey(record.pool, record.address), record);
    for (const [key, { pool, address }] of unused)
      if (!pins.has(key) && ipam.leaseOf(pool, address) === undefined) await giveBack(pool, address);
  };

  /** What pods here have by a record that says otherwise now: it was taken away, or lost. */
  const lookAfterUsed = async (): Promise<void> => {
    for (const share of ipam.shares()) {
      const { pool, prefix, name } = share;
      const address = addressOf(prefix);
      const key = fixedKey(pool, address);
      if (name === undefined || isSame(ledger.fixed(pool, address) ?? {}, self)) continue;
      await lock(key, async () => {
        const now = await read(pool, address);
        if (now !== undefined && isSame(now.record, self)) return;
        await drop(share);
        if (ipam.leaseOf(pool, address) === undefined) return;
        const free = now === undefined || (now.record.name === name && now.record.node === undefined);
        const mac = ipam.reservation(pool, name)?.mac;
        if (free) await hold({ pool, name, ...(mac === undefined ? {} : { mac }) }, address);
        else ground.log({ event: "fixed-lost", pool, address, name });
      });
    }
  };

  /** Others wait for what lies in our blocks, or in what we have borrowed. */
  const makeRoom = async (): Promise<void> => {
    for (const record of ledger.blocksOf(self)) {
      const { pool, prefix, fixed, lent } = record;
      for (const { address } of [...ledger.fixedIn(pool, prefix)]) {
        if (fixed.includes(address)) continue;
        const borrower = lent[address];
        const share = ipam.shares(pool).find((each) => each.name === undefined && each.prefix === hostPrefix(address));
        if (borrower !== undefined && isSame(borrower, self) && share !== undefined) await claims.giveBack(share);
        else if (borrower === undefined && isSame(record, self)) await claims.leave(pool, address);
      }
    }
    for (const { pool, node, uid, fixed } of ledger.blocksOf(self))
      for (const address of isSame({ node, uid }, self) ? fixed : [])
        if (ledger.fixed(pool, address) === undefined && (await read(pool, address)) === undefined)
          await claims.takeBack(pool, address);
  };

  /** Those that a node had which is gone have nobody; those that nobody has and nobody is to have are forgotten. */
  const forgetOrphans = async (): Promise<void> => {
    const now = clockMs();
    const before = orphans;
    orphans = new Map();
    for (const record of ledger.allFixed()) {
      const { pool, address, name, node, uid, ...rest } = record;
      const isHeld = node !== undefined && uid !== undefined;
      if (isHeld && !ground.isGone({ node, uid })) continue;
      if (!isHeld && (ledger.isReserved(pool, name) || ipam.reservation(pool, name) !== undefined)) continue;
      const key = fixedKey(pool, address);
      const since = before.get(key) ?? now;
      orphans.set(key, since);
      const waitMs = (isHeld ? 0 : restMs) + TURN_MS * turn(self.node, key, ledger.joined.keys());
      if (now - since < waitMs || pins.has(key)) continue;
      const fresh = await read(pool, address);
      if (fresh === undefined || fresh.record.writes !== record.writes) continue;
      if (!isHeld) await erase(ground, key, fresh);
      else await replace(ground, key, { pool, address, name, ...rest, writes: record.writes + 1 }, fresh);
    }
  };

  return {
    async secure(keeper, addresses) {
      const keys = addresses.map((address) => fixedKey(keeper.pool, address));
      for (const key of keys) pin(key, 1);
      const unpin = () => {
        for (const key of keys) pin(key, -1);
      };
      try {
        for (const address of addresses) await lock(fixedKey(keeper.pool, address), () => hold(keeper, address));
      } catch (error) {
        unpin();
        throw error;
      }
      return { [Symbol.dispose]: unpin };
    },

    async declare({ pool, name, mac }, address) {
      const key = fixedKey(pool, address);
      const record = { pool, address, name, ...(mac === undefined ? {} : { mac }), writes: 1 };
      if (await replace(ground, key, record satisfies FixedRecord, undefined)) return;
      const now = await read(pool, address);
      if (now !== undefined && now.record.name !== name) throw anothers(pool, address, now.record.name);
      if (now === undefined) throw notReady(`pool ${pool}: ${address} is being given up by another name just now`);
    },

    async tend() {
      await giveBackUnused();
      await lookAfterUsed();
      await makeRoom();
      await forgetOrphans();
    },
  };
}

const notReady = (message: string): SelvedgeError =>
  new SelvedgeError({ kind: "not-ready" }, message, { hint: "It is tried again by the runtime." });

const anothers = (pool: string, address: Address, name: string): SelvedgeError =>
  new SelvedgeError({ kind: "address-unavailable", address }, `pool ${pool}: ${address} is reserved for ${name}`);
