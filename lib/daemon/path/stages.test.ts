import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import { element } from "#lib/state/element.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import { arrivalStage, type Onward, onwardStages, podStages, type Stage } from "./stages.ts";

const POD = address("10.66.0.5");
const inside: LinkFact = {
  type: "link",
  at: "pod",
  name: "eth0",
  kind: "veth",
  up: true,
  mtu: 1_450,
  peer: { at: "host", name: "sv1" },
};
const outside: LinkFact = {
  type: "link",
  at: "host",
  name: "sv1",
  kind: "veth",
  up: true,
  mtu: 1_450,
  peer: { at: "pod", name: "eth0" },
};
const record = (facts: readonly Fact[]) => sampleRecord({ facts, pod: "default/web-0" });
const text = (stages: readonly Stage[]): string[] =>
  stages.map(({ place, device, kind, mtu, what, checks, facts }) =>
    [place, device, kind, mtu, what, checks.join(","), facts.length].join("|"),
  );

const PODS: readonly [what: string, facts: readonly Fact[], expected: readonly string[]][] = [
  [
    "routed, guarded",
    [inside, outside, element("inet", "guarded", ["sv1"]), element("inet", "masq4", [POD])],
    ["pod|eth0|veth|1450|default/web-0, 10.66.0.5||1", "node|sv1|veth|1450|routed|inet selvedge guard|3"],
  ],
  [
    "a port of a bridge, shaped",
    [
      inside,
      { ...outside, master: "selvedge0" },
      { type: "link", at: "host", name: "selvedge0", kind: "bridge", up: true },
      { type: "shaper", at: "host", link: "sv1", rateBits: 20_000_000, burstBytes: 1, latencyUs: 1 },
    ],
    [
      "pod|eth0|veth|1450|default/web-0, 10.66.0.5||1",
      "node|sv1|veth|1450|a port of selvedge0|20 Mbit/s into the pod|2",
      "bridge|selvedge0|bridge|0|||1",
    ],
  ],
  [
    "out of the pod by a queue of its own, and into it by one that it shares with other interfaces",
    [
      inside,
      outside,
      { type: "link", at: "host", name: "sb1", kind: "ifb", up: true },
      { type: "shaper", at: "host", link: "sb1", rateBits: 10_000_000, burstBytes: 1, latencyUs: 1 },
      { type: "redirect", at: "host", link: "sv1", to: "sb1" },
      { type: "link", at: "host", name: "st1", kind: "ifb", up: true },
      { type: "tree", at: "host", link: "st1", rateBits: 50_000_000, burstBytes: 1, latencyUs: 1, classes: [] },
      { type: "redirect", at: "host", link: "sv1", to: "st1", hook: "egress" },
    ],
    [
      "pod|eth0|veth|1450|default/web-0, 10.66.0.5||1",
      "node|sv1|veth|1450|routed|10 Mbit/s out of the pod,50 Mbit/s into the pod|7",
    ],
  ],
  [
    "on a link of the node",
    [{ ...inside, kind: "macvlan", parent: { at: "host", name: "eth1" } }],
    [
      "pod|eth0|macvlan|1450|default/web-0, 10.66.0.5||1",
      "parent|eth1|macvlan|0|packets do not pass the node's routing||0",
    ],
  ],
  ["behind another plugin", [], ["pod|eth0|another plugin's|0|default/web-0, 10.66.0.5||0"]],
];
test.each(PODS)("%s", (_what, facts, expected) => expect(text(podStages(record(facts), [POD]))).toEqual(expected));

const BETA = { name: "beta" } as NodeRecord;
const WAY: ChosenWay = {
  way: "vxlan",
  encrypted: false,
  to: address("192.0.2.2"),
  egress: {
    to: address("192.0.2.2"),
    link: "up0",
    mtuBytes: 1_500,
    source: address("198.51.100.1"),
    via: address("198.51.100.254"),
  },
  mtuBytes: 1_450,
  reason: "not on one segment",
};
const DEVICE: LinkFact = { type: "link", at: "host", name: "svx4", kind: "vxlan", up: true, mtu: 1_450 };
const ROUTE: Fact = { type: "route", at: "host", to: prefix("10.66.0.64/26"), link: "svx4" };
const NO_WAY = { reason: "beta has no vxlan" };
const onward = (of: Partial<Onward>): Onward => ({
  record: BETA,
  ways: { 4: WAY, 6: NO_WAY },
  liveness: "alive",
  facts: [ROUTE],
  ...of,
});

const ONWARD: readonly [what: string, onward: Onward, family: 4 | 6, expected: readonly string[]][] = [
  [
    "in a tunnel",
    onward({}),
    4,
    [
      "way|svx4|vxlan|1450|to 192.0.2.2; not on one segment||2",
      "underlay|up0||1500|198.51.100.1 to 192.0.2.2 by 198.51.100.254||0",
    ],
  ],
  [
    "in a tunnel within another",
    onward({ ways: { 4: { ...WAY, encrypted: true }, 6: NO_WAY } }),
    4,
    [
      "way|svx4|vxlan in wireguard|1450|to 192.0.2.2; not on one segment||2",
      "underlay|up0||1500|198.51.100.1 to 192.0.2.2 by 198.51.100.254||0",
    ],
  ],
  [
    "directly",
    onward({ ways: { 4: { ...WAY, way: "direct", mtuBytes: 1_500 }, 6: NO_WAY } }),
    4,
    ["way|up0|direct|1500|to 192.0.2.2; not on one segment||1"],
  ],
  ["without a way", onward({}), 6, ["way||none|0|no way to beta: beta has no vxlan||0"]],
  ["to a dead node", onward({ liveness: "dead" }), 4, ["way||none|0|beta is dead; its routes are withdrawn||0"]],
];
test.each(ONWARD)("%s", (_what, to, family, expected) =>
  expect(text(onwardStages(to, family, [DEVICE]))).toEqual(expected),
);

test("it comes in by the device of the way, and directly by the link that leads back", () => {
  const here = { link: "up1", shared: [DEVICE] };
  expect(text([arrivalStage("alpha", WAY, here)])).toEqual([
    "way|svx4|vxlan|1450|from alpha|inet selvedge ways_tunnels|1",
  ]);
  expect(text([arrivalStage("alpha", { ...WAY, way: "direct" }, here)])).toEqual(["way|up1|direct|0|from alpha||0"]);
});
