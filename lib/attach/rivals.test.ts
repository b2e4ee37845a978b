import { expect, test } from "@jest/globals";
import type { LinkFact } from "#lib/state/fact.ts";
import { rivalry } from "./rivals.ts";

const link = (kind: LinkFact["kind"], more: Partial<LinkFact> = {}): LinkFact => ({
  type: "link",
  at: "pod",
  name: "eth0",
  kind,
  up: true,
  parent: { at: "host", name: "eth1" },
  ...more,
});
const tagged = (id: number, protocol: "802.1Q" | "802.1ad" = "802.1Q") => link("vlan", { vlan: { id, protocol } });

const cases: [wanted: LinkFact, other: LinkFact, said: string | undefined][] = [
  [link("macvlan", { mode: "bridge" }), link("macvlan", { mode: "private" }), undefined],
  [link("ipvlan", { mode: "l2" }), link("ipvlan", { mode: "l2" }), undefined],
  [tagged(5), tagged(6), undefined],
  [tagged(5), tagged(5, "802.1ad"), undefined],
  [tagged(5), link("macvlan", { mode: "passthru" }), undefined],
  [tagged(5), tagged(5), 'vlanId: 5 is taken on "eth1": a link carries each VLAN once'],
  [
    link("ipvlan", { mode: "l2" }),
    link("macvlan", { mode: "bridge" }),
    'master: "eth1" carries macvlan links, and no link can carry ipvlan links beside them',
  ],
  [
    link("macvlan", { mode: "passthru" }),
    link("macvlan", { mode: "bridge" }),
    'mode: "passthru" is not possible on "eth1", which carries a macvlan in mode "bridge": "passthru" shares its parent with nobody',
  ],
  [
    link("ipvlan", { mode: "l3" }),
    link("ipvlan", { mode: "l2" }),
    'mode: "l3" is not possible on "eth1", whose ipvlan links are in mode "l2": all on one parent have the same',
  ],
];
test.each(cases)("%j beside %j", (wanted, other, said) => {
  const found = rivalry(wanted, other);
  expect(found && `${found.field}: ${found.why}`).toBe(said);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(8));
