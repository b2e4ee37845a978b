/**
 * Addresses of pools that the nodes of a cluster share. The node gives out what is its share, in memory and whether or
 * not the shared store is there; this keeps the share in step with what is needed and with what the store says. Nearly
 * everything happens in passes: each looks at the whole picture and does what follows, and whatever fails is the next
 * pass' work.
 */
import { type Address, bare, contains, type Prefix } from "#lib/address.ts";
import { turn } from "#lib/cluster/blocks.ts";
import { ledger as newLedger } from "#lib/cluster/ledger.ts";
import { GRACE_MS, proofs } from "#lib/cluster/proof.ts";
import { readBlock } from "#lib/cluster/read-record.ts";
import { type BlockRecord, blockKey, type NodeId, reservationKey } from "#lib/cluster/records.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { blockOf } from "#lib/ipam/cut.ts";
import type { AddressRequest, Allocation, Ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { keyedLock } from "#lib/lock.ts";
import type { Log } from "#lib/log.ts";
import type { Reservation } from "#lib/state/lease.ts";
import type { Shared, SharedChange } from "#lib/store/shared.ts";
import type { Store } from "#lib/store/store.ts";
import { blockPrefix, claims as newClaims } from "./claims.ts";
import { fixing as newFixing } from "./fixing.ts";
import { gone as newGone } from "./gone.ts";
import { type Ground, isSame, newsroom, readNow, type Wait } from "./ground.ts";
import { LINGER_MS, needs as newNeeds } from "./needs.ts";
import { sharedReservations } from "./reserving.ts";

export interface Blocks {
  /** What the shared store tells, in its order. */
  heed(change: SharedChange): void;
  /** The store was lost or found again. */
  connection(connected: boolean): void;
  /** One look at everything; failures of the store are logged. To be called now and then, and soon after `onNews`. */
  pass(): Promise<void>;
  /**
   * As `Ipam.allocate`, and for a shared pool: with a block more where nothing is free, and with what is fixed for the
   * pod's name, wherever it was before.
   * @throws SelvedgeError as `Ipam.allocate`; not-ready: the pod's address is on another node
   */
  allocate(request: AddressRequest): Promise<Allocation>;
  /** Tells all nodes of a reservation that was made here. @throws SelvedgeError not-ready: the store is away; conflict, address-unavailable */
  publish(reservation: Reservation): Promise<void>;
  /** Nothing is reserved for the name on any node. @throws SelvedgeError not-ready: the store is away */
  withdraw(pool: string, name: string): Promise<void>;
  /** These are the pools that the nodes share from now on; `leaving`: those of them that nothing more is taken of. */
  setPools(pools: readonly Pool[], leaving: ReadonlySet<string>): void;
  /** Whether the nodes share the pool. */
  isShared(pool: string): boolean;
  /** How many blocks of the pool nodes have. */
  taken(pool: string): number;
  list(): readonly BlockUse[];
}

/** A block as `selvedgectl blocks` shows it. */
export interface BlockUse extends NodeId {
  readonly pool: string;
  readonly prefix: Prefix;
  /** Addresses that pods have and that nobody has, where this node knows: of its own. */
  readonly use?: { readonly size: number; readonly used: number; readonly cooling: number; readonly free: number };
  readonly lent: BlockRecord["lent"];
  readonly fixed: readonly Address[];
}

export interface BlocksOptions {
  readonly self: NodeId;
  readonly shared: Pick<Shared, "get" | "list" | "put" | "remove">;
  readonly store: Pick<Store, "commit">;
  readonly ipam: Ipam;
  /** Those that have blocks. */
  readonly pools: readonly Pool[];
  readonly log: Log;
  /** Microseconds on a monotonic clock. */
  readonly clockUs: () => number;
  /** How long an address that was fixed stays with nobody. */
  readonly coolDownMs: number;
  /** Something has changed that the next pass may act on. */
  readonly onNews?: () => void;
  /** How long a node must be away before it is gone for good. */
  readonly graceMs?: number;
  readonly lingerMs?: number;
  readonly wait?: Wait;
}

/** Those that could inherit from a node that is gone do so one after another. */
const TURN_MS = 5_000;
/** An address that was fixed rests at least so long, so that no node has it by an old picture. */
const REST_MS = 10_000;

export function blocks(options: BlocksOptions): Blocks {
  const { self, shared, store, ipam, log, onNews = () => {} } = options;
  const pools = new Map(options.pools.map((pool) => [pool.name, pool]));
  const leaving = new Set<string>();
  const ledger = newLedger((name, address) => {
    const pool = pools.get(name);
    return pool && blockOf(pool, address);
  });
  const { stir, news } = newsroom(options.wait);
  const clockMs = () => options.clockUs() / 1_000;
  const evidence = proofs(self, options.graceMs ?? GRACE_MS);
  const gone = newGone({ shared, ledger, pools, clockMs }, evidence);
  const ground: Ground = {
    self,
    shared,
    store,
    ipam,
    ledger,
    pools,
    leaving,
    log,
    lock: keyedLock(),
    clockMs,
    isGone: gone.has,
    news,
  };
  const claims = newClaims(ground);
  const fixing = newFixing(ground, claims, { restMs: Math.max(options.coolDownMs, REST_MS) });
  const needs = newNeeds(ground, claims, options.lingerMs ?? LINGER_MS);
  const reservations = sharedReservations(ground, fixing);

  let connected = false;
  /** The picture is complete: a list has come since the store was found. */
  let informed = false;
  let touched = new Set<string>();
  const goneSince = new Map<string, number>();

  const settle = async (): Promise<void> => {
    const keys = new Map<string, { readonly pool: string; readonly prefix: Prefix }>();
    for (const record of ledger.blocksOf(self)) keys.set(blockKey(record.pool, record.prefix), record);
    for (const share of ipam.shares()) {
      if (share.name !== undefined || !pools.has(share.pool)) continue;
      const prefix = blockPrefix(ground, share);
      keys.set(blockKey(share.pool, prefix), { pool: share.pool, prefix });
    }
    for (const { pool, prefix } of keys.values())
      if (pools.has(pool) && !claims.isSettled(pool, prefix)) await claims.settle(pool, prefix);
  };

  /** Of pods that were here before the node shared its pools: where their blocks are nobody's yet. */
  const takeWhatIsUsed = async (): Promise<void> => {
    for (const { pool: name, address } of ipam.leases()) {
      const pool = pools.get(name);
      if (pool === undefined || ipam.isOurs(name, address)) continue;
      const prefix = blockOf(pool, address);
      if (isOfPool(pool, address) && ledger.block(name, prefix) === undefined) await claims.claim(name, prefix);
    }
  };

  const inherit = async (): Promise<void> => {
    const ids = await gone.look();
    const now = clockMs();
    for (const uid of goneSince.keys()) if (!ids.some((id) => id.uid === uid)) goneSince.delete(uid);
    for (const id of ids) {
      const since = goneSince.get(id.uid) ?? now;
      goneSince.set(id.uid, since);
      const isTurn = now - since >= TURN_MS * turn(self.node, id.uid, ledger.joined.keys());
      // What we lent is ours to take back; what is nobody's is for whoever's turn it is.
      for (const { pool, prefix, ...owner } of ledger.blocksOf(id))
        if (isSame(owner, self) || (isSame(owner, id) && isTurn)) await claims.inherit(pool, prefix);
    }
  };

  const follow = async (): Promise<void> => {
    const keys = touched;
    touched = new Set();
    await reservations.follow(keys);
  };

  /** A reserved name, and addresses that are asked for, before `Ipam.allocate` is. */
  const prepare = async (pool: Pool, { pod, keep, requested = [] }: AddressRequest): Promise<Disposable> => {
    if (pod !== undefined && keep === true && connected && ipam.reservation(pool.name, pod) === undefined)
      await reservations.lookUp(pool.name, pod).catch(failed);
    const reservation = pod === undefined ? undefined : ipam.reservation(pool.name, pod);
    if (reservation !== undefined && reservation.unshared !== true) {
      const { name, addresses, mac } = reservation;
      return fixing.secure({ pool: pool.name, name, ...(mac === undefined ? {} : { mac }) }, addresses);
    }
    for (const asked of requested) {
      const address = bare(asked);
      if (!isOfPool(pool, address) || ipam.isOurs(pool.name, address)) continue;
      const prefix = blockOf(pool, address);
      if ((await readNow(ground, blockKey(pool.name, prefix), readBlock)) === undefined)
        await claims.claim(pool.name, prefix);
    }
    return { [Symbol.dispose]: () => {} };
  };

  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "blocks-failed", message: error.message });
    }
  };

  return {
    heed(change) {
      const { reservations: keys } = ledger.take(change);
      for (const key of keys) touched.add(key);
      if ("all" in change) {
        evidence.begin();
        informed = true;
        // What was released while nobody here could hear of it is in no change.
        for (const { pool, name } of ipam.reservations()) touched.add(reservationKey(pool, name));
      }
      stir();
      onNews();
    },

    connection(now) {
      connected = now;
      evidence.begin();
      if (now) onNews();
    },

    async pass() {
      if (!connected || !informed) return;
      for (const work of [settle, takeWhatIsUsed, follow, reservations.tend, inherit, fixing.tend, needs.tend])
        if (connected) await guarded(work);
    },

    async allocate(request) {
      const pool = typeof request.pool === "string" ? pools.get(request.pool) : undefined;
      if (pool === undefined) return ipam.allocate(request);
      using _ = await reached(prepare(pool, request));
      const pod = request.pod ?? request.key.containerId;
      for (;;) {
        try {
          const found = ipam.allocate(request);
          needs.served(pool.name, pod);
          return found;
        } catch (error) {
          if (!isFailure(error, "pool-exhausted")) throw error;
          const found = connected && (await needs.more(pool.name, pod).catch(failed));
          if (!found) throw needs.explain(pool.name, error, connected);
        }
      }
    },

    publish: (reservation) => reached(reservations.publish(reservation)),
    withdraw: (pool, name) => reached(reservations.withdraw(pool, name)),
    setPools(now, gone) {
      pools.clear();
      for (const pool of now) pools.set(pool.name, pool);
      leaving.clear();
      for (const name of gone) leaving.add(name);
      ledger.regroup();
      for (const key of ledger.reservationKeys()) touched.add(key);
      onNews();
    },
    isShared: (pool) => pools.has(pool),
    taken: (pool) => ledger.blocks(pool, 4).size + ledger.blocks(pool, 6).size,

    list: () => {
      const uses = new Map(ipam.uses().map((use) => [`${use.share.pool} ${use.share.prefix}`, use]));
      return [...pools.keys()]
        .flatMap((pool) => ([4, 6] as const).flatMap((family) => [...ledger.blocks(pool, family).values()]))
        .map(({ pool, prefix, node, uid, lent, fixed }) => {
          const use = isSame({ node, uid }, self) ? uses.get(`${pool} ${prefix}`) : undefined;
          return {
            pool,
            prefix,
            node,
            uid,
            ...(use === undefined
              ? {}
              : { use: { size: use.size, used: use.used, cooling: use.cooling, free: use.free } }),
            lent,
            fixed,
          };
        });
    },
  };
}

const isOfPool = ({ sets }: Pool, address: Address): boolean =>
  sets.flat().some(({ subnet }) => contains(subnet, address));

/** For those who asked: the store is only one of the ways to serve them. */
const failed = (error: unknown): false => {
  if (!isFailure(error, "store")) throw error;
  return false;
};

/** What only the shared store can decide waits for it. @throws SelvedgeError not-ready */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isFailure(error, "store")) throw error;
    throw new SelvedgeError({ kind: "not-ready" }, `the shared store is needed for this and away: ${error.message}`, {
      hint: "It is tried again by the runtime; pods without a fixed address go on meanwhile.",
      cause: error,
    });
  }
}
