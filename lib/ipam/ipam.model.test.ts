/** Random lives of a pool against the simplest model of it: who holds what, and when what was released. */

import { expect, test } from "@jest/globals";
import { type Address, address, family } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import type { CoolDown } from "#lib/state/lease.ts";
import { fc } from "../../test/support/property.ts";
import { type Ipam, ipam } from "./ipam.ts";
import { readPools } from "./read-pool.ts";

const COOL_MS = 1_000;
const POOLS = readPools(
  root(
    [
      {
        name: "std",
        ranges: [
          [{ subnet: "10.1.0.0/30" }, { subnet: "10.2.0.0/29", rangeStart: "10.2.0.3" }],
          [{ subnet: "fd00::/125" }],
        ],
        exclude: ["10.2.0.4"],
      },
    ],
    "pools",
  ),
);
/** What may be handed out unasked, by set. */
const SETS = [
  ["10.1.0.2", "10.2.0.3", "10.2.0.5", "10.2.0.6"],
  ["fd00::2", "fd00::3", "fd00::4", "fd00::5", "fd00::6", "fd00::7"],
].map((set) => set.map((text) => address(text)));

interface Model {
  wallMs: number;
  monotonicMs: number;
  readonly held: Map<string, readonly Address[]>;
  /** By address: the monotonic time of its release. */
  readonly released: Map<Address, number>;
  /** By container: the name that it goes by. */
  readonly names: Map<string, string>;
  /** By name: what is reserved for it. */
  readonly reserved: Map<string, readonly Address[]>;
  /** Who may have it back at once, by address. */
  readonly last: Map<Address, string>;
}
interface Real {
  it: Ipam;
  readonly reopen: () => Ipam;
}

const isHeld = (model: Model, of: Address): boolean => [...model.held.values()].some((held) => held.includes(of));
const cools = (model: Model, of: Address): boolean =>
  model.monotonicMs < (model.released.get(of) ?? Number.NEGATIVE_INFINITY) + COOL_MS;
const isReserved = (model: Model, of: Address): boolean =>
  [...model.reserved.values()].some((addresses) => addresses.includes(of));
const free = (model: Model, set: readonly Address[]) =>
  set.filter((each) => !isHeld(model, each) && !cools(model, each) && !isReserved(model, each));
const keyOf = (id: number) => ({ containerId: `c${id}`, ifname: "eth0" });

type Command = fc.Command<Model, Real>;

const add = (id: number): Command => ({
  check: () => true,
  toString: () => `add(${id})`,
  run(model, real) {
    const before = model.held.get(`c${id}`);
    const choice = SETS.map((set) => free(model, set));
    const request = { key: keyOf(id), pool: "std" };
    if (before === undefined && choice.some((set) => set.length === 0)) {
      expect(() => real.it.allocate(request)).toThrow(/cooling down/);
      return;
    }
    const given = real.it.allocate(request).leases.map((lease) => lease.address);
    if (before !== undefined) return expect(given).toEqual(before);
    expect(given).toHaveLength(SETS.length);
    for (const [i, each] of given.entries()) {
      const candidates = choice[i] ?? [];
      expect(candidates).toContain(each);
      const fresh = candidates.filter((candidate) => !model.released.has(candidate));
      const oldest = Math.min(...candidates.map((candidate) => model.released.get(candidate) ?? 0));
      if (fresh.length > 0) expect(fresh).toContain(each);
      else expect(model.released.get(each)).toBe(oldest);
    }
    model.held.set(`c${id}`, given);
    for (const each of given) model.released.delete(each);
  },
});

const ask = (id: number, asked: Address): Command => ({
  check: (model) => !model.held.has(`c${id}`),
  toString: () => `ask(${id}, ${asked})`,
  run(model, real) {
    const others = SETS.filter(([first]) => first !== undefined && family(first) !== family(asked));
    const possible =
      !isHeld(model, asked) &&
      !cools(model, asked) &&
      !isReserved(model, asked) &&
      others.every((set) => free(model, set).length > 0);
    const request = { key: keyOf(id), pool: "std", requested: [asked] };
    if (!possible) {
      expect(() => real.it.allocate(request)).toThrow();
      return;
    }
    const given = real.it.allocate(request).leases.map((lease) => lease.address);
    expect(given).toContain(asked);
    model.held.set(`c${id}`, given);
    for (const each of given) model.released.delete(each);
  },
});

/** An attachment with a name: what is reserved for the name, while nobody else has it. */
const own = (id: number, name: string): Command => ({
  check: (model) => !model.held.has(`c${id}`),
  toString: () => `own(${id}, ${name})`,
  run(model, real) {
    const kept = model.reserved.get(name) ?? [];
    const others = SETS.filter(
      ([first]) => !kept.some((each) => first !== undefined && family(each) === family(first)),
    );
    const mine = (of: Address) => !isHeld(model, of) && (!cools(model, of) || model.last.get(of) === name);
    const request = { key: keyOf(id), pool: "std", pod: name };
    if (!kept.every(mine) || others.some((set) => free(model, set).length === 0)) {
      expect(() => real.it.allocate(request)).toThrow();
      return;
    }
    const given = real.it.allocate(request).leases.map((lease) => lease.address);
    for (const each of kept) expect(given).toContain(each);
    for (const each of given) expect(isHeld(model, each)).toBe(false);
    model.held.set(`c${id}`, given);
    model.names.set(`c${id}`, name);
    for (const each of given) model.released.delete(each);
  },
});

const reserve = (name: string, asked: Address): Command => ({
  check: (model) => !model.reserved.has(name),
  toString: () => `reserve(${name}, ${asked})`,
  run(model, real) {
    const mine = [...model.held].flatMap(([id, held]) => (model.names.get(id) === name ? held : []));
    const wish = { name, pool: "std", addresses: [asked] };
    const others = SETS.filter(([first]) => first !== undefined && family(first) !== family(asked));
    const open = others.every((set) => set.some((each) => mine.includes(each)) || free(model, set).length > 0);
    if (isReserved(model, asked) || (isHeld(model, asked) && !mine.includes(asked)) || !open) {
      expect(() => real.it.reserve(wish)).toThrow();
      return;
    }
    const { addresses } = real.it.reserve(wish).reservation;
    expect(addresses).toHaveLength(SETS.length);
    expect(addresses).toContain(asked);
    for (const each of addresses) expect(isReserved(model, each)).toBe(false);
    model.reserved.set(name, addresses);
  },
});

const unreserve = (name: string): Command => ({
  check: (model) => model.reserved.has(name),
  toString: () => `unreserve(${name})`,
  run(model, real) {
    const idle = (model.reserved.get(name) ?? []).filter((each) => !isHeld(model, each));
    expect(real.it.unreserve(name).coolDowns.map((each) => each.address)).toEqual(idle);
    model.reserved.delete(name);
    for (const each of idle) {
      model.released.set(each, model.monotonicMs);
      model.last.set(each, name);
    }
  },
});

const del = (id: number): Command => ({
  check: () => true,
  toString: () => `del(${id})`,
  run(model, real) {
    const held = model.held.get(`c${id}`) ?? [];
    const { leases, coolDowns } = real.it.release(keyOf(id));
    expect(leases.map((lease) => lease.address)).toEqual(held);
    expect(coolDowns.map((each) => each.address)).toEqual(held);
    const name = model.names.get(`c${id}`);
    model.held.delete(`c${id}`);
    model.names.delete(`c${id}`);
    for (const each of held) {
      model.released.set(each, model.monotonicMs);
      if (name === undefined) model.last.delete(each);
      else model.last.set(each, name);
    }
  },
});

const pass = (ms: number): Command => ({
  check: () => true,
  toString: () => `pass(${ms})`,
  run(model) {
    model.monotonicMs += ms;
    model.wallMs += ms;
  },
});

const podOf = (pod: string | undefined) => (pod === undefined ? {} : { pod });

/** A new daemon on what the old one had stored. */
const restart = (): Command => ({
  check: () => true,
  toString: () => "restart()",
  run(model, real) {
    const stored = [...model.released].map(
      ([each, atMs]): CoolDown => ({
        pool: "std",
        address: each,
        ...podOf(model.last.get(each)),
        releasedMs: model.wallMs - (model.monotonicMs - atMs),
        untilMs: model.wallMs - (model.monotonicMs - atMs) + COOL_MS,
      }),
    );
    const next = real.reopen();
    const reservations = real.it.reservations().map(({ holders: _, ...each }) => each);
    next.restore({ leases: real.it.leases(), coolDowns: stored, pools: [], reservations });
    const seen = (of: Ipam) => [
      of
        .leases()
        .map((lease) => lease.address)
        .sort(),
      of.usage(),
    ];
    expect(seen(next)).toEqual(seen(real.it));
    real.it = next;
  },
});

const id = fc.nat(7);
const name = fc.constantFrom("default/db-0", "vm:db");
const askable = fc.constantFrom(...SETS.flat(), address("10.2.0.4"));
const commands = fc.commands(
  [
    id.map(add),
    id.map(add),
    id.map(del),
    fc.tuple(id, askable).map(([of, asked]) => ask(of, asked)),
    fc.tuple(id, name).map(([of, by]) => own(of, by)),
    fc.tuple(name, askable).map(([by, asked]) => reserve(by, asked)),
    name.map(unreserve),
    fc.integer({ min: 1, max: 1_500 }).map(pass),
    fc.constant(restart()),
  ],
  { maxCommands: 80 },
);

test("no two owners, no early reuse, what is reserved for its name alone, exhaustion exactly when nothing is left, the oldest release first", () => {
  fc.assert(
    fc.property(commands, (sequence) => {
      fc.modelRun(() => {
        const model: Model = {
          wallMs: 1_760_000_000_000,
          monotonicMs: 50_000,
          held: new Map(),
          released: new Map(),
          names: new Map(),
          reserved: new Map(),
          last: new Map(),
        };
        const reopen = () =>
          ipam({
            pools: POOLS,
            coolDownMs: COOL_MS,
            nowMs: () => model.wallMs,
            clockUs: () => model.monotonicMs * 1_000,
          });
        return { model, real: { it: reopen(), reopen } };
      }, sequence);
    }),
    { numRuns: 500 },
  );
});

test("whatever is asked for, the answer is leases or a failure with a name", () => {
  const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("10.1.0.2", "10.2.0.4", "fd00::1"));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), (asked) => {
      const it = ipam({ pools: POOLS, coolDownMs: COOL_MS, nowMs: () => 0, clockUs: () => 0 });
      try {
        it.allocate({ key: keyOf(1), pool: "std", requested: asked.map((each) => address(each)) });
        expect(it.leases()).toHaveLength(2);
      } catch (error) {
        if (!isFailure(error)) throw error;
        expect(it.leases()).toEqual([]);
      }
    }),
  );
});
