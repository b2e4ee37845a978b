/**
 * Several nodes with their own IPAM over one shared store, all in memory, with every order of events and every fault of
 * the way between chosen by a seed. Time is the rig's: nothing waits for a clock of the machine.
 */
import { aliveKey, type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { ipam } from "#lib/ipam/ipam.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import type { ReservationWish } from "#lib/ipam/reservation.ts";
import { entries } from "#lib/store/entries.ts";
import { memory } from "#lib/store/memory.ts";
import type { Shared } from "#lib/store/shared.ts";
import { blocks } from "./blocks.ts";
import { inOrder, kindByKind } from "./hearing.ts";
import type { Machine, Pending, Pod, Rig } from "./rig-parts.ts";

export const COOL_MS = 500;
export const GRACE_MS = 5_000;
export const LINGER_MS = 1_000;

const CALM_STEP_MS = 250;

export type Random = (below: number) => number;

export interface RigOptions {
  /** The store is as lib/store/kubernetes has it: nothing is in order but the changes of one kind of keys. */
  readonly isKubernetes?: boolean;
  /** How long each request to the shared store takes; 0 unless it says otherwise. */
  readonly latencyMs?: () => number;
  /** As `BlocksOptions.lingerMs`. */
  readonly lingerMs?: number;
}

export function rig(
  pools: readonly Pool[],
  names: readonly string[],
  random: Random,
  reservations: readonly ReservationWish[] = [],
  { isKubernetes = false, latencyMs = () => 0, lingerMs = LINGER_MS }: RigOptions = {},
): Rig {
  const store = entries({ tellsSame: !isKubernetes });
  const lines: string[] = [];
  const machines = new Map<string, Machine>();
  const pods = new Map<string, Pod>();
  const outcomes = new Map<string, "added" | SelvedgeError>();
  let pending: Pending[] = [];
  let nowMs = 1_000;
  let uids = 0;

  const note = (line: string): void => void lines.push(`${nowMs} ${line}`);
  /** Answers when the rig comes to it. */
  const later = <T>(of: Machine, perform?: () => T, waitMs = 0): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const { life } = of;
      pending.push({
        of,
        life,
        ...(perform === undefined ? {} : { perform }),
        dueMs: nowMs + waitMs,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
    });

  const clientOf = (of: Machine): Pick<Shared, "get" | "list" | "put" | "remove"> => ({
    get: (key) => later(of, () => store.get(key), latencyMs()),
    list: (prefix) => later(of, () => store.below(prefix), latencyMs()),
    put: (key, value, options) => later(of, () => store.put(key, value, options), latencyMs()),
    remove: (key, options) => later(of, () => store.remove(key, options), latencyMs()),
  });

  const recordOf = ({ name, uid }: Machine) =>
    ({
      name,
      uid,
      addresses: [],
      segments: [],
      ways: [],
      tunnelAddresses: [],
      tunnelMac: "02:00:00:00:00:01",
      echoPort: 1,
      version: "1",
    }) as unknown as NodeRecord;

  const announce = (of: Machine): void => {
    store.put(nodeKey(of.name), JSON.stringify(recordOf(of)));
    store.put(aliveKey(of.name), JSON.stringify({ uid: of.uid }));
  };

  const start = async (of: Machine): Promise<void> => {
    of.life += 1;
    const { life } = of;
    const clockUs = () => nowMs * 1_000;
    const it = ipam({ pools, reservations, coolDownMs: COOL_MS, nowMs: () => nowMs, clockUs });
    it.restore(await of.store.load());
    const made = blocks({
      self: { node: of.name, uid: of.uid },
      shared: clientOf(of),
      store: of.store,
      ipam: it,
      pools,
      log: (event) => note(`${of.name} ${JSON.stringify(event)}`),
      clockUs,
      coolDownMs: COOL_MS,
      graceMs: GRACE_MS,
      lingerMs,
      wait: (ms, signal) => Promise.race([later(of, undefined, ms) as Promise<void>, aborted(signal)]),
    });
    if (of.life !== life) return;
    of.daemon = { ipam: it, blocks: made };
    of.hearing.begin();
    of.passing = false;
    if (!of.cut) {
      announce(of);
      made.connection(true);
    }
  };

  const machineOf = (name: string): Machine => {
    const found = machines.get(name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  };

  const kill = (of: Machine): void => {
    of.life += 1;
    delete of.daemon;
    of.passing = false;
  };

  const deliver = (of: Machine): void => {
    if (of.daemon === undefined || of.cut) return;
    const change = of.hearing.next();
    if (change !== undefined) of.daemon.blocks.heed(change);
  };

  const pass = (of: Machine): void => {
    if (of.daemon === undefined || of.passing) return;
    of.passing = true;
    const { life } = of;
    of.daemon.blocks.pass().then(
      () => {
        if (of.life === life) of.passing = false;
      },
      (error: unknown) => {
        lines.push(`pass of ${of.name} threw ${(error as Error).stack}`);
        broken ??= error;
      },
    );
  };
  let broken: unknown;

  const perform = (each: Pending): void => {
    const isDead = each.of.life !== each.life;
    if (each.perform === undefined) {
      if (!isDead) each.resolve(undefined);
      return;
    }
    const fate = self.faults ? random(40) : 39;
    if (each.of.cut || fate === 0) {
      // It never arrives, or it does long after everybody has given up.
      if (!isDead) each.reject(new SelvedgeError({ kind: "store" }, "not reached"));
      if (random(3) === 0) pending.push({ ...each, life: -1, dueMs: nowMs + random(2_000) });
      return;
    }
    if (each.life === -1) {
      each.perform();
      return;
    }
    const answer = each.perform();
    if (isDead) return;
    if (fate === 1) each.reject(new SelvedgeError({ kind: "store" }, "no answer"));
    else each.resolve(answer);
  };

  const check = (pod: Pod): void => {
    for (const address of pod.addresses)
      for (const other of pods.values())
        if (other.addresses.includes(address))
          throw new Error(`${address} is held by ${other.id} on ${other.machine} and by ${pod.id} on ${pod.machine}`);
  };

  const addTo = async (of: Machine, id: string, options: Parameters<Rig["add"]>[2] = {}): Promise<void> => {
    const { daemon, life } = of;
    if (daemon === undefined) return;
    const { name, keep, requested } = options;
    const key = { containerId: id, ifname: "eth0" };
    const request = {
      key,
      pool: "std",
      ...(name === undefined ? {} : { pod: name }),
      ...(keep === undefined ? {} : { keep }),
      ...(requested === undefined ? {} : { requested }),
    };
    try {
      const given = await daemon.blocks.allocate(request);
      if (of.life !== life) return;
      const addresses = given.leases.map(({ address }) => address);
      const pod = { id, machine: of.name, addresses, ...(name === undefined ? {} : { name }) };
      check(pod);
      void of.store.commit([
        ...given.leases.map((value) => ({ put: "lease", value }) as const),
        ...given.ended.map(({ pool, address }) => ({ remove: "coolDown", pool, address }) as const),
        ...daemon.ipam.keeping(key).map((value) => ({ put: "reservation", value }) as const),
      ]);
      daemon.ipam.kept(key);
      pods.set(id, pod);
      outcomes.set(id, "added");
      note(`${of.name} added ${id} ${addresses.join(" ")} ${name ?? ""}`);
    } catch (error) {
      if (!(error instanceof SelvedgeError)) {
        broken ??= error;
        return;
      }
      if (of.life === life) {
        outcomes.set(id, error);
        note(`${of.name} refused ${id} ${name ?? ""}: ${error.message}`);
      }
    }
  };

  const del = (id: string): void => {
    const pod = pods.get(id);
    if (pod === undefined) return;
    const of = machineOf(pod.machine);
    const { daemon } = of;
    if (daemon === undefined) return;
    const key = { containerId: id, ifname: "eth0" };
    const ending = daemon.ipam.ending(key);
    void of.store.commit([
      ...ending.leases.map(({ pool, address }) => ({ remove: "lease", pool, address }) as const),
      ...ending.coolDowns.map((value) => ({ put: "coolDown", value }) as const),
    ]);
    pods.delete(id);
    note(`${of.name} deleted ${id} ${pod.addresses.join(" ")}`);
    daemon.ipam.release(key);
  };

  const drained = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (broken !== undefined) throw broken;
  };

  for (const name of names) {
    const hearing = isKubernetes ? kindByKind(store, random) : inOrder(store);
    machines.set(name, {
      name,
      uid: `${name}-${++uids}`,
      store: memory(),
      life: 0,
      cut: false,
      hearing,
      passing: false,
    });
  }

  const self: Rig = {
    faults: true,
    get nowMs() {
      return nowMs;
    },
    pods,
    log: lines,
    entries: (prefix) => store.below(prefix).map(({ key, value }) => ({ key, value: JSON.parse(value) })),
    machines: () => [...machines.keys()],
    isUp: (name) => machineOf(name).daemon !== undefined,
    ipamOf: (name) => machineOf(name).daemon?.ipam,
    blocksOf: (name) => machineOf(name).daemon?.blocks,
    add: (name, id, options) => void addTo(machineOf(name), id, options),
    ended: (id) => outcomes.get(id),
    del,
    start: (name) => {
      const of = machineOf(name);
      if (of.daemon !== undefined) return;
      note(`${name} starts as ${of.uid}`);
      void start(of);
    },
    kill: (name) => {
      note(`${name} is killed`);
      kill(machineOf(name));
    },
    removeNode(name) {
      note(`${name} is removed`);
      const of = machineOf(name);
      kill(of);
      for (const [id, pod] of pods) if (pod.machine === name) pods.delete(id);
      store.remove(nodeKey(name));
      store.remove(aliveKey(name));
      of.uid = `${name}-${++uids}`;
      of.store = memory();
      of.cut = false;
    },
    takeAway(name, by) {
      const to = machineOf(by);
      for (const { key, value } of store.below("blocks/")) {
        const record = JSON.parse(value);
        if (record.node === name)
          store.put(key, JSON.stringify({ ...record, node: by, uid: to.uid, writes: record.writes + 1 }));
      }
    },
    cut(name) {
      const of = machineOf(name);
      if (of.cut) return;
      note(`${name} is cut off`);
      of.cut = true;
      store.remove(aliveKey(name));
      of.daemon?.blocks.connection(false);
    },
    heal(name) {
      const of = machineOf(name);
      if (!of.cut) return;
      note(`${name} is back`);
      of.cut = false;
      if (of.daemon === undefined) return;
      announce(of);
      of.daemon.blocks.connection(true);
    },
    isCut: (name) => machineOf(name).cut,
    relist: (name) => machineOf(name).hearing.begin(),
    pass: (name) => pass(machineOf(name)),
    advance: (ms) => {
      nowMs += ms;
    },
    async step() {
      const due = pending.filter(({ dueMs }) => dueMs <= nowMs);
      const chosen = random(3) > 0 ? due[random(due.length || 1)] : undefined;
      if (chosen !== undefined) {
        pending = pending.filter((each) => each !== chosen);
        perform(chosen);
      } else {
        const all = [...machines.values()];
        const of = all[random(all.length)];
        if (of !== undefined) random(4) === 0 ? pass(of) : deliver(of);
        if (random(6) === 0) nowMs += random(40);
      }
      await drained();
    },
    async calm(ms) {
      const before = self.faults;
      self.faults = false;
      const endMs = nowMs + ms;
      while (nowMs < endMs) {
        for (const of of machines.values()) {
          while (of.daemon !== undefined && !of.cut && of.hearing.isBehind) deliver(of);
          pass(of);
        }
        for (;;) {
          await drained();
          const due = pending.filter(({ dueMs }) => dueMs <= nowMs);
          if (due.length === 0) break;
          pending = pending.filter((each) => !due.includes(each));
          for (const each of due) perform(each);
        }
        nowMs += CALM_STEP_MS;
      }
      await drained();
      self.faults = before;
    },
  };
  return self;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
