import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { change } from "./change.ts";
import { type Connected, connectedIn } from "./connected.ts";
import { DIALECTS } from "./dialect.ts";
import { type Line, lineOf, pathOf } from "./path.ts";
import { ownership } from "./piece.ts";
import { render } from "./render/render.ts";
import { VIEW } from "./render/sample-view.ts";
import type { RouterSpec } from "./router.ts";
import { sampleBgp, sampleRouter } from "./sample-router.ts";
import { grow, type Tree } from "./tree.ts";

const tree = (...lines: string[]): Tree => {
  const all: Tree = new Map();
  for (const line of lines) grow(all, pathOf(line as Line));
  return all;
};
const LAN: Connected = { interface: "eth1", address: prefix("10.66.5.1/24") };

test("the networks of interfaces, with those within them and their VRFs, and without ours", () =>
  expect(
    connectedIn(
      tree(
        "ethernet eth0 address dhcp",
        "ethernet eth1 address 10.66.5.1/24",
        "ethernet eth1 vif 5 address 2001:db8::1/64",
        "ethernet eth1 vif 5 vrf BLUE",
        "ethernet eth2 vif-s 7 vif-c 8 address 10.2.0.1/24",
        "loopback lo",
        "wireguard wg10 address 10.9.0.1/30",
      ),
      new Set(["wg10"]),
    ),
  ).toEqual([
    LAN,
    { interface: "eth1.5", address: "2001:db8::1/64", vrf: "BLUE" },
    { interface: "eth2.7.8", address: "10.2.0.1/24" },
  ]));

/** What is set, and what is not and why, on a router that has nothing yet. */
const told = (spec: Partial<RouterSpec>) => {
  const pieces = render(sampleRouter({ pools: ["default", "media"], ...spec }), VIEW, DIALECTS["1.4"]);
  const { sets, conflicts } = change(pieces, new Map(), new Map());
  return {
    sets: sets.map(lineOf),
    conflicts: conflicts.map(({ at, stays, needs }) => `${at} ${stays ?? `needs ${needs}`}`),
  };
};
const WHY = "10.66.5.1/24 of the router's eth1 lies in pool default";

test("nothing is led to pods of a pool that the router's own neighbours have addresses of, and other pools go on", () => {
  expect(told({ static: { routes: "pools" }, connected: [LAN] })).toEqual({
    sets: [
      "protocols static route 10.67.0.0/20 next-hop 192.0.2.11",
      "protocols static route 10.67.0.0/20 next-hop 192.0.2.12",
      "protocols static route6 fd66::/64 next-hop 2001:db8::11",
      "protocols static route6 fd66::/64 next-hop 2001:db8::12",
    ],
    conflicts: [`protocols static route 10.66.0.0/16 stays as it is: ${WHY}`],
  });
});

test("of nodes' blocks only those are left out that the router's own neighbours have addresses of", () => {
  const there = { interface: "eth1", address: prefix("10.66.9.1/24") };
  const all = told({ static: { routes: "blocks" } });
  const { sets, conflicts } = told({ static: { routes: "blocks" }, connected: [LAN, there] });
  expect(all.sets.filter((line) => !sets.includes(line))).toEqual([
    "protocols static route 10.66.9.9/32 next-hop 192.0.2.12",
  ]);
  expect(conflicts).toEqual([
    "protocols static route 10.66.9.9/32 stays as it is: 10.66.9.1/24 of the router's eth1 lies in pool default",
  ]);
});

test("nodes' routes are not taken without the list of what they may announce", () => {
  const { sets, conflicts } = told({ bgp: sampleBgp(), connected: [LAN] });
  expect(sets.filter((line) => line.startsWith("protocols bgp"))).toEqual([]);
  expect(conflicts[0]).toBe(`policy prefix-list SELVEDGE-IN stays as it is: ${WHY}`);
  expect(conflicts).toContain("policy route-map SELVEDGE-IN needs policy prefix-list SELVEDGE-IN");
  expect(conflicts).toContain("protocols bgp peer-group SELVEDGE needs policy route-map SELVEDGE-IN");
});

test("what leads there already is kept up: dead nodes go, others come", () => {
  const hop = (node: number) => `protocols static route 10.66.0.0/16 next-hop 192.0.2.${node}` as Line;
  const owned = ownership([{ at: "protocols static route 10.66.0.0/16" as Line, lines: [hop(11), hop(13)] }]);
  const spec = sampleRouter({ static: { routes: "pools" }, pools: ["default"], connected: [LAN] });
  const has = tree(hop(11), hop(13));
  const { deletes, sets, conflicts } = change(render(spec, VIEW, DIALECTS["1.4"]), has, owned);
  expect(deletes.map(lineOf)).toEqual([hop(13)]);
  expect(sets.map(lineOf)).toContain(hop(12));
  expect(conflicts).toEqual([
    { at: "protocols static route 10.66.0.0/16", foreign: [], stays: `is kept up, though ${WHY}` },
  ]);
});

test("a list of what nodes may announce that is there already is kept up, and what needs it is made", () => {
  const of = (connected: readonly Connected[]) =>
    render(sampleRouter({ bgp: sampleBgp(), pools: ["default"], connected }), VIEW, DIALECTS["1.4"]);
  const at = "policy prefix-list SELVEDGE-IN" as Line;
  const line = `${at} rule 20 action permit` as Line;
  const changed = (connected: readonly Connected[]) =>
    change(of(connected), tree(line), ownership([{ at, lines: [line] }]));
  expect(changed([LAN]).deletes.map(lineOf)).toEqual([at]);
  expect(changed([LAN])).toEqual({
    ...changed([]),
    conflicts: [{ at, foreign: [], stays: `is kept up, though ${WHY}` }],
  });
});

test.each<[name: string, connected: Connected]>([
  ["of another table", { ...LAN, vrf: "BLUE" }],
  ["without neighbours", { interface: "lo", address: prefix("10.66.255.1/32") }],
  ["that pools are a part of", { interface: "eth1", address: prefix("10.0.0.1/8") }],
])("an address %s changes nothing", (_name, connected) => {
  for (const spec of [{ static: { routes: "blocks" } }, { bgp: sampleBgp() }] as const)
    expect(told({ ...spec, connected: [connected] })).toEqual(told(spec));
});
