import { expect, test } from "@jest/globals";
import type { Address, Prefix } from "#lib/address.ts";
import { fc } from "../../test/support/property.ts";
import { diff, type Op } from "./diff.ts";
import { type Fact, identity, type LinkFact, type RouteFact } from "./fact.ts";
import { line } from "./line.ts";

const bridge: LinkFact = { type: "link", at: "host", name: "br0", kind: "bridge", up: true, mtu: 1500 };
const held: Fact = { type: "address", at: "host", link: "br0", address: "10.1.0.1/24" as Prefix };
const route: RouteFact = { type: "route", at: "pod", to: "0.0.0.0/0" as Prefix, link: "eth0" };

const cases: [name: string, want: Fact[], have: Fact[], lines: string[]][] = [
  ["nothing wanted, nothing there", [], [], []],
  ["nothing to do", [bridge, held], [held, bridge], []],
  [
    "adds in the order of what is wanted",
    [bridge, held],
    [],
    ["+ link br0 bridge up mtu 1500", "+ addr 10.1.0.1/24 dev br0"],
  ],
  ["nothing wanted removes all", [], [held], ["- addr 10.1.0.1/24 dev br0"]],
  ["a property that differs", [bridge], [{ ...bridge, mtu: 9000 }], ["~ link br0 bridge up mtu 1500"]],
  ["a property that is missing", [{ ...bridge, hairpin: true }], [bridge], ["~ link br0 bridge up mtu 1500 hairpin"]],
  ["a property that nobody manages", [bridge], [{ ...bridge, promiscuous: true }], []],
  [
    "a nested property",
    [{ ...bridge, peer: { at: "pod", name: "eth0" } }],
    [{ ...bridge, peer: { at: "pod", name: "eth0" } }],
    [],
  ],
  [
    "another peer",
    [{ ...bridge, peer: { at: "pod", name: "eth0" } }],
    [{ ...bridge, peer: { at: "pod", name: "eth1" } }],
    ["~ link br0 bridge up mtu 1500 peer eth0"],
  ],
  ["instructions are not compared", [{ ...route, onlink: true }], [route], []],
  [
    "another gateway changes a route",
    [{ ...route, via: "10.1.0.1" as Address }],
    [{ ...route, via: "10.1.0.2" as Address }],
    ["~ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]"],
  ],
  [
    "another metric is another route",
    [{ ...route, metric: 5 }],
    [route],
    ["+ route 0.0.0.0/0 dev eth0 [pod] metric 5", "- route 0.0.0.0/0 dev eth0 [pod]"],
  ],
  ["what several want is there once", [bridge, held, { ...bridge }], [bridge, held], []],
  ["what several want is made once", [held, { ...held }], [], ["+ addr 10.1.0.1/24 dev br0"]],
  ["the main table is the same as none", [{ ...route, table: 254 }], [{ ...route, table: 254 }], []],
];
test.each(cases)("%s", (_name, want, have, lines) => expect(diff(want, have).map(line)).toEqual(lines));
test("the table has cases", () => expect(cases.length).toBeGreaterThan(10));

/** Few names and values, so that things meet. */
const few = fc.constantFrom("a", "b");
const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record(
    {
      type: fc.constant("link" as const),
      at: fc.constantFrom("host" as const, "pod" as const),
      name: few,
      kind: fc.constant("veth" as const),
      up: fc.boolean(),
      mtu: fc.constantFrom(1400, 1500),
      hairpin: fc.boolean(),
    },
    { requiredKeys: ["type", "at", "name", "kind", "up"] },
  ),
  fc.record(
    {
      type: fc.constant("route" as const),
      at: fc.constant("pod" as const),
      to: fc.constantFrom("10.1.0.0/24" as Prefix, "0.0.0.0/0" as Prefix),
      link: few,
      metric: fc.nat(1),
      via: fc.constantFrom("10.1.0.1" as Address, "10.1.0.2" as Address),
    },
    { requiredKeys: ["type", "at", "to", "link"] },
  ),
  fc.record({ type: fc.constant("sysctl" as const), at: fc.constant("host" as const), key: few, value: few }),
  fc.record({
    type: fc.constant("element" as const),
    at: fc.constant("host" as const),
    family: fc.constantFrom("inet" as const, "bridge" as const),
    table: fc.constant("selvedge"),
    set: few,
    key: fc.array(few, { minLength: 1, maxLength: 2 }),
    value: fc.array(few, { minLength: 1, maxLength: 2 }),
  }),
);
const node = fc.uniqueArray(fact, { selector: identity, maxLength: 12 });

/** The least that an apply has to do: what a fact does not mention stays as it was. */
function applied(have: readonly Fact[], ops: readonly Op[]): Fact[] {
  const there = new Map(have.map((f) => [identity(f), f]));
  for (const op of ops) {
    const id = identity(op.fact);
    if (op.do === "remove") there.delete(id);
    else there.set(id, { ...there.get(id), ...op.fact } as Fact);
  }
  return [...there.values()];
}

test("from any state, one application reaches what is wanted", () =>
  fc.assert(
    fc.property(node, node, (want, have) => {
      const now = applied(have, diff(want, have));
      expect(diff(want, now)).toEqual([]);
      expect(now.map(identity).sort()).toEqual(want.map(identity).sort());
    }),
  ));

test("an operation names what is there or what is not, as it says", () =>
  fc.assert(
    fc.property(node, node, (want, have) => {
      const there = new Set(have.map(identity));
      for (const op of diff(want, have)) expect(there.has(identity(op.fact))).toBe(op.do !== "add");
    }),
  ));

test("what is wanted is its own remedy, and nothing is wanted of nothing", () =>
  fc.assert(
    fc.property(node, (facts) => {
      expect(diff(facts, facts)).toEqual([]);
      expect(diff([], facts).map((op) => op.do)).toEqual(facts.map(() => "remove"));
      expect(diff(facts, []).map((op) => op.fact)).toEqual(facts);
    }),
  ));
