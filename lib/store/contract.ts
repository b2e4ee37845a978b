/**
 * What every store does, as one walk that any test can take: seeded random commits, compared with what they mean, and
 * loaded again by a new opening where the store outlives one.
 */
import { isDeepStrictEqual } from "node:util";
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { Mirror } from "#lib/state/mirror.ts";
import type { AttachmentRecord, Change, CoolDown, Lease, Reservation, Share, Snapshot, Store } from "./store.ts";

export interface Walk {
  readonly seed: number;
  readonly commits: number;
  /** Opens the same store again after the one before was closed; absent for a store that ends with its process. */
  readonly reopen?: () => Promise<Store>;
}

/** Throws with the seed and the step when the store and its meaning part. */
export async function walk(open: () => Promise<Store>, { seed, commits, reopen }: Walk): Promise<void> {
  const random = sequence(seed);
  const expected = new Map<string, Change>();
  let store = await open();
  try {
    for (let step = 0; step < commits; step++) {
      const changes = Array.from({ length: random(6) }, () => randomChange(random));
      await store.commit(changes);
      for (const change of changes) meaning(expected, change);
      if (reopen !== undefined && random(10) === 0) {
        await store[Symbol.asyncDispose]();
        store = await reopen();
      }
      const differs = difference(await store.load(), expected);
      if (differs !== undefined) throw new Error(`seed ${seed}, commit ${step}: ${differs}`);
    }
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

/** The first place where a snapshot is not what the changes so far mean; `expected` comes from `meaning`. */
export function difference(snapshot: Snapshot, expected: ReadonlyMap<string, Change>): string | undefined {
  const found = new Map<string, Change>();
  for (const value of snapshot.attachments) meaning(found, { put: "attachment", value });
  for (const value of snapshot.leases) meaning(found, { put: "lease", value });
  for (const value of snapshot.coolDowns) meaning(found, { put: "coolDown", value });
  for (const value of snapshot.pools) meaning(found, { put: "pool", value });
  for (const value of snapshot.reservations) meaning(found, { put: "reservation", value });
  for (const value of snapshot.shares) meaning(found, { put: "share", value });
  for (const name of snapshot.replayed) meaning(found, { put: "replayed", name, atMs: 0 });
  for (const value of snapshot.shared) meaning(found, { put: "shared", value });
  for (const value of snapshot.own) meaning(found, { put: "own", value });
  for (const [key, change] of expected)
    if (!isDeepStrictEqual(found.get(key), change))
      return `${key} should be ${JSON.stringify(change)}, is ${JSON.stringify(found.get(key))}`;
  for (const key of found.keys()) if (!expected.has(key)) return `${key} should be gone`;
  return undefined;
}

/** What is there after a change: the last `put` of each thing that was not removed since. */
export function meaning(there: Map<string, Change>, change: Change): void {
  if ("remove" in change) there.delete(identity(change.remove, change));
  else if (change.put === "replayed")
    there.set(identity("replayed", change), { put: "replayed", name: change.name, atMs: 0 });
  else there.set(identity(change.put, change.put === "attachment" ? { key: change.value } : change.value), change);
}

function identity(kind: string, of: object): string {
  const { key, pool, address, prefix, name } = of as {
    key?: { containerId: string; ifname: string };
    pool?: string;
    address?: string;
    prefix?: string;
    name?: string;
  };
  if (key !== undefined) return `${kind} ${key.containerId} ${key.ifname}`;
  if (address !== undefined) return `${kind} ${pool} ${address}`;
  if (prefix !== undefined) return `${kind} ${pool} ${prefix}`;
  return kind === "reservation" ? `${kind} ${pool} ${name}` : `${kind} ${name}`;
}

type Random = (below: number) => number;

/** Park and Miller's minimal standard generator: the same seed gives the same walk. */
export function sequence(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function randomChange(random: Random): Change {
  const address = `10.1.0.${random(20)}` as Address;
  const pool = ["std", "net:ö"][random(2)] ?? "std";
  const key = { containerId: `c${random(8)}`, ifname: `eth${random(2)}` };
  const name = `n${random(6)}`;
  const choices: readonly Change[] = [
    { put: "attachment", value: attachment(random, key) },
    { remove: "attachment", key },
    { put: "lease", value: lease(random, key, pool, address) },
    { remove: "lease", pool, address },
    { put: "coolDown", value: coolDown(random, pool, address) },
    { remove: "coolDown", pool, address },
    { put: "pool", value: { name, pool: `{"ranges":${random(100)}}` } },
    { remove: "pool", name },
    { put: "reservation", value: reservation(random, pool, name) },
    { remove: "reservation", pool, name },
    { put: "share", value: share(random, pool) },
    { remove: "share", pool, prefix: share(random, pool).prefix },
    { put: "replayed", name, atMs: random(1_000_000) },
    { remove: "replayed", name },
    { put: "shared", value: { name: `nodes/${name}`, value: `{"ü":${random(100)}}` } },
    { remove: "shared", name: `nodes/${name}` },
    { put: "own", value: { name, value: String(random(100)) } },
    { remove: "own", name },
  ];
  return choices[random(choices.length)] ?? { remove: "pool", name };
}

const pod = (random: Random): { pod?: string } => (random(2) === 0 ? {} : { pod: `ns/pod-${random(9)}` });

/** Every field is there in some of them, and every optional field is absent in others. */
const attachment = (random: Random, key: { containerId: string; ifname: string }): AttachmentRecord => ({
  ...key,
  network: `net${random(3)}`,
  phase: (["adding", "ready", "deleting"] as const)[random(3)] ?? "adding",
  type: ["ptp", "bridge", "chained"][random(3)] ?? "ptp",
  netns: `/run/netns/${random(9)}`,
  ...(random(2) === 0 ? {} : { netnsInode: 4_026_532_000 + random(1000) }),
  chained: random(2) === 0,
  config: `{"name":"ü\\u0000${random(99)}"}`,
  args: `K8S_POD_NAME=p${random(9)}`,
  path: "/opt/cni/bin",
  facts: [{ type: "sysctl", at: "host", key: "net/ipv4/ip_forward", value: String(random(2)) }],
  ...(random(2) === 0 ? {} : { result: `{"ips":[${random(9)}]}` }),
  ...(random(3) === 0 ? { mirrors: [mirror(random)] } : {}),
  ...pod(random),
  createdMs: 1_760_000_000_000 + random(1_000_000),
});

const mirror = (random: Random): Mirror => ({
  id: `m${random(9)}`,
  ifname: `eth${random(2)}`,
  to: "link:up0",
  direction: (["in", "out", "both"] as const)[random(3)] ?? "both",
  filter: ["", "tcp port 80"][random(2)] ?? "",
  startedMs: 1_760_000_000_000 + random(1_000),
  untilMs: 1_760_003_600_000 + random(1_000),
  facts: [],
});

const lease = (
  random: Random,
  key: { containerId: string; ifname: string },
  pool: string,
  address: Address,
): Lease => ({ ...key, pool, address, ...pod(random), sinceMs: 1_760_000_000_000 + random(1_000_000) });

const coolDown = (random: Random, pool: string, address: Address): CoolDown => ({
  pool,
  address,
  ...pod(random),
  releasedMs: 1_760_000_000_000 + random(1_000),
  untilMs: 1_760_000_130_000 + random(1_000),
});

const reservation = (random: Random, pool: string, name: string): Reservation => ({
  pool,
  name,
  addresses: [`10.1.0.${random(20)}`, "fd00::2"].slice(random(3)) as Address[],
  ...(random(2) === 0 ? {} : { mac: `02:00:00:00:00:0${random(9)}` as Mac }),
  origin: (["operator", "kept"] as const)[random(2)] ?? "kept",
  sinceMs: 1_760_000_000_000 + random(1_000_000),
  ...(random(2) === 0 ? {} : { unshared: true }),
});

const share = (random: Random, pool: string): Share => ({
  pool,
  prefix: `10.1.0.${64 * random(4)}/26` as Prefix,
  without: [`10.1.0.${random(20)}`, "10.1.0.70"].slice(random(3)) as Address[],
  ...(random(2) === 0 ? {} : { name: `ns/pod-${random(9)}` }),
});
