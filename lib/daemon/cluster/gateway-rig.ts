/**
 * Several gateways over one shared store, all in memory, with every order of events, every fault of the way between and
 * every pause of a process chosen by a seed. Time is the rig's, and each machine's clock runs at a speed of its own.
 */
import type { Address } from "#lib/address.ts";
import { addressOf } from "#lib/address.ts";
import { aliveKey, egressKey, KEYS } from "#lib/cluster/records.ts";
import type { EgressAddresses } from "#lib/config/egress.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { entries } from "#lib/store/entries.ts";
import type { Shared } from "#lib/store/shared.ts";
import { type Gateway, gateway } from "./gateway.ts";

export type Random = (below: number) => number;

const LIVENESS_MS = 3_000;
/** How late a kernel takes an address away, at most. */
const LATE_MS = 1_000;
const TICK_MS = 1_000;
const EXPIRY_MS = 500;

interface Pending {
  readonly of: Machine;
  readonly life: number;
  readonly perform: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Performed, and its answer under way. */
  answer?: { readonly value: unknown };
}

interface Machine {
  readonly name: string;
  readonly uid: string;
  /** Its clock: so much faster than the rig's. */
  readonly speed: number;
  /** Grows with every daemon. */
  life: number;
  daemon?: Gateway;
  busy: { tick: boolean; expire: boolean };
  lastTickMs: number;
  lastExpiryMs: number;
  cut: boolean;
  paused: boolean;
  /** When the store heard of it last. */
  heardMs: number;
  /** Its lease was taken from it, and it gets another one then. */
  unheardUntilMs: number;
  /** How much of the log it was told; undefined: it is to be told everything. */
  seen?: number;
  connected: boolean;
  /** By address: until when the kernel has it, on the rig's clock. */
  readonly kernel: Map<Address, number>;
}

export interface GatewayRig {
  readonly lines: readonly string[];
  readonly machines: readonly string[];
  /** Lets something happen, and a little time pass. */
  step(): Promise<void>;
  /** Machines whose kernel has the address now. */
  holders(address: Address): string[];
  /** Machines that believe that they hold it. */
  believers(address: Address): string[];
  start(name: string): void;
  kill(name: string): void;
  /** Its kernel forgets everything, too. */
  reboot(name: string): void;
  cut(name: string): void;
  heal(name: string): void;
  pause(name: string): void;
  resume(name: string): void;
  /** What was missed cannot be told any more. */
  relist(name: string): void;
  /** Its lease ends before its time, and for so long it gets no other. */
  silence(name: string, forMs: number): void;
  /** An operator deletes a record. */
  erase(address: Address): void;
  /** The store was away for all of them, and is as it was at some earlier time. */
  restore(): void;
}

export function gatewayRig(names: readonly string[], egress: readonly EgressAddresses[], random: Random): GatewayRig {
  const store = entries();
  const backup = () => store.backup((key) => !key.startsWith(KEYS.alive));
  let restore = backup();
  const lines: string[] = [];
  let pending: Pending[] = [];
  let nowMs = 100_000;

  const note = (line: string): void => void lines.push(`${nowMs} ${line}`);

  const machines = new Map(
    names.map((name, i): [string, Machine] => [
      name,
      {
        name,
        uid: `${name}-uid`,
        speed: 1 + (i - 1) * 0.01,
        life: 0,
        busy: { tick: false, expire: false },
        lastTickMs: 0,
        lastExpiryMs: 0,
        cut: false,
        paused: false,
        heardMs: 0,
        unheardUntilMs: 0,
        connected: false,
        kernel: new Map(),
      },
    ]),
  );
  const machineOf = (name: string): Machine => {
    const found = machines.get(name);
    if (found === undefined) throw new Error(`no machine ${name}`);
    return found;
  };

  const later = <T>(of: Machine, perform: () => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      pending.push({ of, life: of.life, perform, resolve: resolve as (value: unknown) => void, reject });
    });
  const clientOf = (of: Machine): Pick<Shared, "get" | "put"> => ({
    get: (key) => later(of, () => store.get(key)),
    put: (key, value, options) => later(of, () => store.put(key, value, options)),
  });
  const kernelOf = ({ kernel, name }: Machine): Pick<Kernel, "look" | "apply" | "flushConntrack"> => ({
    look: async (_, facts) => facts.filter((fact) => fact.type === "address" && kernel.has(addressOf(fact.address))),
    apply: async (_, ops) => {
      for (const { do: verb, fact } of ops) {
        if (fact.type !== "address") continue;
        const address = addressOf(fact.address);
        if (verb === "remove") kernel.delete(address);
        else kernel.set(address, nowMs + (fact.validSeconds ?? 0) * 1_000 + random(LATE_MS));
        note(`${name} kernel ${verb} ${address} ${fact.validSeconds ?? ""}`);
      }
    },
    flushConntrack: async () => 0,
  });

  const start = (of: Machine): void => {
    of.life += 1;
    of.busy = { tick: false, expire: false };
    delete of.seen;
    of.connected = false;
    of.daemon = gateway({
      self: { node: of.name, uid: of.uid },
      shared: clientOf(of),
      kernel: kernelOf(of),
      egress,
      linkOf: () => "eth0",
      log: (event) => note(`${of.name} ${JSON.stringify(event)}`),
      clockUs: () => nowMs * of.speed * 1_000,
      nowMs: () => nowMs,
      onChange: () => {},
    });
    void of.daemon.begin();
  };
  const isHeard = (of: Machine): boolean => of.daemon !== undefined && !of.cut && !of.paused;

  /** What a machine's lease does by itself. */
  const breathe = (of: Machine): void => {
    const entry = store.get(aliveKey(of.name));
    if (isHeard(of)) {
      of.heardMs = nowMs;
      if (entry === undefined && nowMs >= of.unheardUntilMs && random(4) === 0)
        store.put(aliveKey(of.name), JSON.stringify({ uid: of.uid }));
    } else if (entry !== undefined && nowMs - of.heardMs > LIVENESS_MS) store.remove(aliveKey(of.name));
  };

  const tell = (of: Machine): void => {
    const { daemon } = of;
    if (daemon === undefined || of.paused) return;
    const connection = (now: boolean): void => {
      of.connected = now;
      daemon.connection(now);
    };
    if (of.cut) {
      if (of.connected && random(4) === 0) connection(false);
      return;
    }
    if (of.seen === undefined) {
      of.seen = store.log.length;
      daemon.heed({ all: store.below("") });
    }
    if (!of.connected) connection(true);
    const change = store.log[of.seen];
    if (change === undefined || random(3) === 0) return;
    of.seen += 1;
    daemon.heed(change);
  };

  const work = (of: Machine): void => {
    const { daemon, life } = of;
    if (daemon === undefined || of.paused) return;
    const run = (which: "tick" | "expire"): void => {
      of.busy[which] = true;
      void daemon[which]().finally(() => {
        if (of.life === life) of.busy[which] = false;
      });
    };
    if (!of.busy.tick && nowMs - of.lastTickMs >= TICK_MS) {
      of.lastTickMs = nowMs;
      run("tick");
    }
    if (!of.busy.expire && nowMs - of.lastExpiryMs >= EXPIRY_MS) {
      of.lastExpiryMs = nowMs;
      run("expire");
    }
  };

  /** One step of one request: it reaches the store, or its answer comes back, or either gets lost. */
  const serve = (): void => {
    const open = pending.filter(({ of, life }) => of.life === life);
    pending = open;
    const each = open[random(open.length || 1)];
    if (each === undefined) return;
    const finish = (settle: () => void): void => {
      pending = pending.filter((other) => other !== each);
      settle();
    };
    if (each.answer !== undefined) {
      const { value } = each.answer;
      if (each.of.paused) return;
      if (each.of.cut) finish(() => each.reject(unreachable()));
      else finish(() => each.resolve(value));
    } else if (each.of.cut) {
      if (!each.of.paused) finish(() => each.reject(unreachable()));
    } else each.answer = { value: each.perform() };
  };

  return {
    lines,
    machines: names,
    async step() {
      nowMs += random(40);
      if (random(50) === 0 && random(10) === 0) restore = backup();
      for (const of of machines.values()) {
        for (const [address, untilMs] of of.kernel) if (untilMs <= nowMs) of.kernel.delete(address);
        breathe(of);
        tell(of);
        work(of);
      }
      for (let n = 0; n < 1 + random(4); n++) serve();
      await new Promise((resolve) => setImmediate(resolve));
    },
    holders: (address) => [...machines.values()].filter(({ kernel }) => kernel.has(address)).map(({ name }) => name),
    believers: (address) =>
      [...machines.values()].filter(({ daemon }) => daemon?.holds(address) === true).map(({ name }) => name),
    start(name) {
      const of = machineOf(name);
      if (of.daemon === undefined) start(of);
    },
    kill(name) {
      const of = machineOf(name);
      of.life += 1;
      of.paused = false;
      delete of.daemon;
    },
    reboot(name) {
      const of = machineOf(name);
      of.life += 1;
      of.paused = false;
      of.kernel.clear();
      start(of);
    },
    cut(name) {
      machineOf(name).cut = true;
    },
    heal(name) {
      machineOf(name).cut = false;
    },
    pause(name) {
      machineOf(name).paused = true;
    },
    resume(name) {
      machineOf(name).paused = false;
    },
    relist: (name) => void delete machineOf(name).seen,
    silence(name, forMs) {
      machineOf(name).unheardUntilMs = nowMs + forMs;
      store.remove(aliveKey(name));
    },
    erase: (address) => void store.remove(egressKey(address)),
    restore() {
      note("restored");
      restore();
      for (const { reject } of pending) reject(unreachable());
      pending = [];
      for (const of of machines.values()) {
        delete of.seen;
        of.connected = false;
        of.daemon?.connection(false);
      }
    },
  };
}

const unreachable = (): SelvedgeError => new SelvedgeError({ kind: "store" }, "the shared store is not reached");
