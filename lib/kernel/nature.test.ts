import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { ANY_IPV6, type LinkFact } from "#lib/state/fact.ts";
import { isSameNature, madeAnew, type Nature, natureFacts } from "./nature.ts";

const link = (name: string, more: Partial<LinkFact> = {}): LinkFact => ({
  type: "link",
  at: "pod",
  name,
  kind: "vlan",
  up: true,
  ...more,
});

const cases: [what: string, want: Partial<LinkFact>, have: Nature, same: boolean][] = [
  ["nothing is asked for", {}, { vlan: { id: 7, protocol: "802.1Q" } }, true],
  ["another mode can be set", { mode: "bridge" }, { mode: "vepa" }, true],
  ["passthru is for life", { mode: "passthru" }, { mode: "vepa" }, false],
  ["and so is any other", { mode: "bridge" }, { mode: "passthru" }, false],
  ["another VLAN", { vlan: { id: 8, protocol: "802.1Q" } }, { vlan: { id: 7, protocol: "802.1Q" } }, false],
  ["another tag", { vlan: { id: 7, protocol: "802.1ad" } }, { vlan: { id: 7, protocol: "802.1Q" } }, false],
  ["only what is asked for", { vxlan: { id: 7, port: 4789 } }, { vxlan: { port: 4789, id: 7 } }, true],
  ["a port that learns", { vxlan: { id: 7, port: 4789, learning: true } }, { vxlan: { id: 7, port: 4789 } }, false],
  ["any address of IPv6", { vxlan: { id: 7, port: 4789, local: ANY_IPV6 } }, { vxlan: { id: 7, port: 4789 } }, true],
  [
    "any address of IPv6, and there is one",
    { vxlan: { id: 7, port: 4789, local: ANY_IPV6 } },
    { vxlan: { id: 7, port: 4789, local: address("fd00::1") } },
    false,
  ],
  ["a user who was not asked for", { tap: {} }, { tap: { owner: 1, multiQueue: false } }, true],
  ["another user", { tap: { owner: 2 } }, { tap: { owner: 1, multiQueue: false } }, false],
];

test.each(cases)("whether a link can become the wanted one: %s", (_, want, have, same) =>
  expect(isSameNature(link("eth0", want), have)).toBe(same),
);

test("a nature is told with the members that are asked for, in their order", () => {
  const vxlan = { port: 4789, id: 7 };
  const have: Nature = { vxlan: { id: 7, port: 4789, local: "192.0.2.1" as never }, vlanFiltering: true };
  expect(JSON.stringify(natureFacts(have, { vxlan }))).toBe(JSON.stringify({ vxlan, vlanFiltering: true }));
});

test("what a link carries goes with it, over all its carriers", () => {
  const on = (name: string, parent: string): LinkFact => link(name, { parent: { at: "pod", name: parent } });
  const wanted = [on("c", "b"), on("b", "a"), link("a"), on("other", "x")];
  expect([...madeAnew(wanted, ({ name }) => name === "a")].sort()).toEqual(["pod a", "pod b", "pod c"]);
});

test("the table has cases", () => expect(cases.length).toBe(12));
