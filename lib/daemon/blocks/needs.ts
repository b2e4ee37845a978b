/** Taking blocks before they are needed, giving back what is not, and lending when nobody has a block to take. */
import { type Family, family, type Prefix } from "#lib/address.ts";
import { blocksText, FAMILY_NAME, isShort, lending, nextBlock, surplus, turn } from "#lib/cluster/blocks.ts";
import { type WantRecord, wantKey } from "#lib/cluster/records.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { blockLength, type Cut, cut } from "#lib/ipam/cut.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import type { Demand, ShareUse } from "#lib/ipam/sharing.ts";
import { blockPrefix, type Claims } from "./claims.ts";
import { type Ground, isSame } from "./ground.ts";

export interface Needs {
  /**
   * For an ADD that found nothing free.
   * @param pod tells its next ADD from those of others
   * @returns whether there may be something now
   * @throws SelvedgeError store
   */
  more(pool: string, pod: string): Promise<boolean>;
  /** The pod has what it asked for. */
  served(pool: string, pod: string): void;
  /** Why there is nothing, with the pool's blocks in numbers. */
  explain(pool: string, error: SelvedgeError, connected: boolean): SelvedgeError;
  /** @throws SelvedgeError store */
  tend(): Promise<void>;
}

/** How long an ADD waits for another node to lend an address. */
const PATIENCE_MS = 1_500;
/** A want is repeated, to more nodes, after this time. */
const ROUND_MS = 500;
/** So seldom at last when no pod waits for it: of a pool that is used up every node hears what every other says. */
const AHEAD_MS = 15_000;
/**
 * A runtime tries a pod again so long after it was refused, and a little: kubelet after 10 to 15 s (pkg/kubelet/pod_workers.go,
 * backOffPeriod). What comes meanwhile is kept for it: nodes whose pods wait would take it from each other for ever.
 */
const AGAIN_MS = 20_000;
/** What is not needed is given back after it was not needed for so long. */
export const LINGER_MS = 60_000;
/** Other nodes that were faster, in one attempt. */
const RACES = 16;

export function needs(ground: Ground, claims: Claims, lingerMs = LINGER_MS): Needs {
  const { self, shared, ipam, ledger, clockMs } = ground;
  /** By the number of the set. A pool that has become another has others. */
  const cuts = new WeakMap<Pool, Map<number, Cut>>();
  const taking = new Map<string, Promise<boolean>>();
  /** By pool: pods that found nothing, and until when their next ADD is expected. */
  const waiting = new Map<string, Map<string, number>>();
  /** When what nobody uses was first not needed, by pool and prefix. */
  let idle = new Map<string, number>();
  /** What this node wants, by key, and when it last said so. */
  const wanted = new Map<string, { readonly want: WantRecord; readonly atMs: number }>();
  /** The last round of a want that was answered here, by key. */
  const answered = new Map<string, string>();

  const cutOf = ({ pool, set, family: of, usable }: Demand): Cut => {
    const ofPool = cuts.get(pool) ?? new Map<number, Cut>();
    cuts.set(pool, ofPool);
    const known = ofPool.get(set) ?? cut(usable, of, blockLength(pool, of));
    ofPool.set(set, known);
    return known;
  };
  const next = (demand: Demand): Prefix | undefined => {
    const owned = ledger.blocks(demand.pool.name, demand.family);
    return nextBlock(cutOf(demand), self.node, (prefix) => owned.has(prefix));
  };

  const take = async (demand: Demand): Promise<boolean> => {
    for (let race = 0; race < RACES; race++) {
      const prefix = next(demand);
      if (prefix === undefined) return false;
      if (await claims.claim(demand.pool.name, prefix)) return true;
    }
    return false;
  };

  const waitingFor = (pool: string): number => {
    const pods = waiting.get(pool) ?? new Map<string, number>();
    for (const [pod, untilMs] of pods) if (untilMs <= clockMs()) pods.delete(pod);
    return pods.size;
  };
  /** Pods wait for more than is free. */
  const isLacking = (demand: Demand): boolean => {
    const pods = waitingFor(demand.pool.name);
    return pods > 0 && freeOf(demand) < BigInt(pods);
  };

  const isMember = (): boolean => ledger.joined.get(self.node) === self.uid;

  const sayWant = async (demand: Demand): Promise<void> => {
    const { pool, family: of } = demand;
    const key = wantKey(pool.name, of, self.node);
    const before = wanted.get(key);
    const isUrgent = isLacking(demand);
    const isNews = before === undefined || (isUrgent && before.want.ahead === true);
    const pauseMs = isUrgent ? ROUND_MS : Math.min(ROUND_MS * 2 ** (before?.want.round ?? 0), AHEAD_MS);
    if (!isNews && clockMs() - before.atMs < pauseMs) return;
    const want: WantRecord = {
      pool: pool.name,
      family: of,
      ...self,
      round: before === undefined ? 0 : before.want.round + 1,
      ...(isUrgent ? {} : { ahead: true }),
    };
    wanted.set(key, { want, atMs: clockMs() });
    await shared.put(key, JSON.stringify(want), { whileAlive: true });
  };
  /** Also one that a daemon before this one said, or that arrived late. */
  const unsayWant = async ({ pool, family: of }: Demand): Promise<void> => {
    const key = wantKey(pool.name, of, self.node);
    if (!wanted.has(key) && ledger.want(key) === undefined) return;
    await shared.remove(key);
    wanted.delete(key);
  };
  const takingKey = ({ pool, set }: Demand): string => `${pool.name} ${set}`;

  const demandsOf = (pool: string): Demand[] => ipam.demands().filter((each) => each.pool.name === pool);
  const freeOf = (demand: Demand): bigint =>
    ipam.demands().find((each) => each.pool === demand.pool && each.set === demand.set)?.free ?? 0n;

  const borrow = async (demand: Demand): Promise<boolean> => {
    const deadlineMs = clockMs() + PATIENCE_MS;
    do {
      await sayWant(demand);
      await ground.news(Math.min(ROUND_MS, deadlineMs - clockMs()));
      // Another node's answer is taken up here, not in the next pass: somebody waits for it.
      await settleBorrowed(demand.pool.name, demand.family);
      if (freeOf(demand) > 0n || (await take(demand))) return true;
    } while (clockMs() < deadlineMs);
    return false;
  };

  const settleBorrowed = async (pool: string, of: Family): Promise<void> => {
    for (const record of ledger.blocksOf(self))
      if (record.pool === pool && family(record.prefix) === of && !claims.isSettled(pool, record.prefix))
        await claims.settle(pool, record.prefix);
  };

  /** Once for all ADDs that find nothing at the same time. */
  const obtain = (demand: Demand): Promise<boolean> => {
    const key = takingKey(demand);
    const running = taking.get(key);
    if (running !== undefined) return running;
    const work = (async () => (await take(demand)) || (await borrow(demand)))().finally(() => taking.delete(key));
    taking.set(key, work);
    return work;
  };

  const isBlock = ({ share }: ShareUse): boolean => blockPrefix(ground, share) === share.prefix;

  const tendSurplus = async (): Promise<void> => {
    const now = clockMs();
    const before = idle;
    idle = new Map();
    const groups = Map.groupBy(
      ipam.uses().filter(({ share }) => share.name === undefined),
      ({ share }) => `${share.pool} ${family(share.prefix)}`,
    );
    for (const uses of groups.values()) {
      const isUseless = uses.some(({ share }) => ground.leaving.has(share.pool));
      const idleOnes = isUseless ? uses.filter(({ used, cooling }) => used + cooling === 0) : surplus(uses, isBlock);
      for (const { share } of idleOnes) {
        if (Object.keys(ledger.block(share.pool, share.prefix)?.lent ?? {}).length > 0) continue;
        const key = `${share.pool} ${share.prefix}`;
        const since = before.get(key) ?? now;
        idle.set(key, since);
        if (isUseless || now - since >= lingerMs) await claims.giveBack(share);
      }
    }
  };

  /**
   * How many free addresses stay for pods that wait here. Of two nodes that each have what the other's pod lacks, one gives:
   * else both wait for ever, or exchange it for ever.
   */
  const keptFrom = ({ pool, node, ahead }: WantRecord): number => {
    const pods = waitingFor(pool);
    if (pods === 0 || ahead === true || turn(node, pool, [self.node]) > 0) return pods;
    const whole = demandsOf(pool).map(({ free }) => Number(free));
    return Math.min(pods, ...whole);
  };

  const tendWants = async (): Promise<void> => {
    const heard = [...ledger.wants()].filter(({ node, uid }) => node !== self.node && ledger.alive.get(node) === uid);
    const urgent = new Set(heard.filter(({ ahead }) => ahead !== true).map((want) => `${want.pool} ${want.family}`));
    /** By pool: shares with free addresses. Of a pool that is used up all nodes say that they want some. */
    const spare = new Map<string, readonly ShareUse[]>();
    for (const want of heard) {
      const { pool, family: of, node, uid, round } = want;
      const key = wantKey(pool, of, node);
      const id = `${uid} ${round}`;
      // Nothing is for the next pod while one waits somewhere.
      if (answered.get(key) === id || (want.ahead === true && urgent.has(`${pool} ${of}`))) continue;
      const ofPool =
        spare.get(pool) ?? ipam.uses(pool).filter(({ share, free }) => share.name === undefined && free > 0);
      spare.set(pool, ofPool);
      const there = ofPool.filter(({ share }) => family(share.prefix) === of);
      const owners = [...ledger.blocks(pool, of).values()].map((record) => record.node);
      const free = there.reduce((sum, use) => sum + use.free, 0);
      let left = lending(want, self.node, owners, Math.max(0, free - keptFrom(want)));
      // What follows waits, and pods come meanwhile.
      if (left > 0) spare.clear();
      for (const { share } of there.filter(isBlock)) {
        if (left <= 0) break;
        left -= await claims.lend(pool, share.prefix, { node, uid }, left);
      }
      const single = there.filter((use) => !isBlock(use)).map(({ share }) => share);
      for (const [prefix, shares] of Map.groupBy(single, (share) => blockPrefix(ground, share))) {
        if (left <= 0) break;
        left -= await claims.passOn(pool, prefix, shares.slice(0, left), { node, uid });
      }
      answered.set(key, id);
    }
    const wants = new Set([...ledger.wants()].map(({ pool, family: of, node }) => wantKey(pool, of, node)));
    for (const key of answered.keys()) if (!wants.has(key)) answered.delete(key);
  };

  return {
    async more(pool, pod) {
      if (!isMember() || ground.leaving.has(pool)) return false;
      const pods = waiting.get(pool) ?? new Map<string, number>();
      waiting.set(pool, pods.set(pod, Number.POSITIVE_INFINITY));
      try {
        const empty = demandsOf(pool).filter(({ free }) => free === 0n);
        for (const demand of empty) if (!(await obtain(demand))) return false;
        return true;
      } finally {
        pods.set(pod, clockMs() + AGAIN_MS);
      }
    },
    served: (pool, pod) => void waiting.get(pool)?.delete(pod),

    explain(pool, error, connected) {
      const empty = demandsOf(pool).find(({ free }) => free === 0n);
      if (empty === undefined) return error;
      const blocks = cutOf(empty).count;
      const owned = [...ledger.blocks(pool, empty.family).values()];
      const text = blocksText({
        blocks,
        own: owned.filter((record) => isSame(record, self)).length,
        unowned: blocks - BigInt(owned.length),
        borrowed: ipam
          .shares(pool)
          .filter((share) => share.name === undefined && blockPrefix(ground, share) !== share.prefix).length,
      });
      const joined = isMember() ? "" : "; this node has not joined the cluster";
      const away = connected ? joined : "; no other can be taken while the shared store is away";
      return new SelvedgeError(error.failure, `pool ${pool} (${FAMILY_NAME[empty.family]}): ${text}${away}`, {
        hint: `${error.message}. \`selvedgectl blocks\` shows who has which.`,
        cause: error,
      });
    },

    async tend() {
      if (!isMember()) return;
      for (const demand of ipam.demands()) {
        if (ground.leaving.has(demand.pool.name)) {
          await unsayWant(demand);
          continue;
        }
        const allOwned = next(demand) === undefined;
        // Who has nothing waits until a pod asks: it would borrow, and give back what nobody uses, for ever.
        const isIdle = demand.size === 0n;
        const isDue = isLacking(demand) || (demand.free === 0n && !isIdle);
        if ((isLacking(demand) || isShort(demand, allOwned)) && !(await take(demand)) && isDue) await sayWant(demand);
        else await unsayWant(demand);
      }
      await tendSurplus();
      await tendWants();
    },
  };
}
