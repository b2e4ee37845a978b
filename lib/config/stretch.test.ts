import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { unplaced } from "./refusal.ts";

const CLUSTER = "cluster: {store: {etcd: {endpoints: [http://a]}}}";
const POOLS =
  "pools: [{name: default, ranges: [[{subnet: 10.1.0.0/16}]]}, {name: lan, ranges: [[{subnet: 10.9.0.0/24}]]}]";
const LAN = "name: lan, attachment: bridge, pool: lan, stretch: {vni: 72}";

test("a network says that it is one segment on all nodes", () =>
  expect(parseConfig(`${CLUSTER}\n${POOLS}\nnetworks: [{${LAN}}]`).networks.get("lan")?.stretch).toEqual({ vni: 72 }));

const REFUSED: [what: string, text: string, expected: string[]][] = [
  [
    "another type",
    `${CLUSTER}\n${POOLS}\nnetworks: [{name: lan, pool: lan, stretch: {vni: 72}}]`,
    ['networks[0].stretch: needs attachment "bridge", not "ptp"'],
  ],
  [
    "no cluster",
    `${POOLS}\nnetworks: [{${LAN}}]`,
    ["networks[0].stretch: needs `cluster`, whose nodes the segment is on"],
  ],
  [
    "nodes that are written by hand, too",
    `${CLUSTER}\n${POOLS}\ntenants: [{name: blue}]\nnetworks: [{${LAN}, tenant: blue, encapsulation: {type: vxlan, vni: 73, peers: []}}]`,
    ["networks[0].stretch: is not possible together with `encapsulation`; leave one of the two out"],
  ],
  [
    "the cluster's VNI",
    `${CLUSTER}\n${POOLS}\nnetworks: [{name: lan, attachment: bridge, pool: lan, stretch: {vni: 4096}}]`,
    ["networks[0].stretch.vni: 4096 is that of the cluster already"],
  ],
  [
    "a VLAN",
    `${CLUSTER}\n${POOLS}\nnetworks: [{${LAN}, vlan: 7}]`,
    [
      "networks[0].vlan: 7 is not possible together with stretch, whose frames have no VLAN; give each VLAN a network and a vni of its own",
    ],
  ],
  [
    "the pool of others",
    `${CLUSTER}\n${POOLS}\nnetworks: [{name: lan, attachment: bridge, stretch: {vni: 72}}]`,
    ['networks[0].stretch: needs a pool of its own, and "default" is that of networks that name none'],
  ],
  [
    "pool, bridge and VNI twice",
    `${CLUSTER}\n${POOLS}\nnetworks: [{${LAN}}, {${LAN.replace("name: lan", "name: dmz")}}]`,
    [
      'networks[0].stretch: needs a pool of its own, and "lan" is that of network "dmz", too',
      'networks[1].stretch.vni: 72 is that of network "lan" already',
      'networks[1].stretch: bridge selvedge0 is that of network "lan" already',
      'networks[1].stretch: needs a pool of its own, and "lan" is that of network "lan", too',
    ],
  ],
  [
    "no VNI",
    `${CLUSTER}\n${POOLS}\nnetworks: [{name: lan, attachment: bridge, pool: lan, stretch: {}}]`,
    ["networks[0].stretch.vni: is missing; it must be a whole number from 1 to 16777215"],
  ],
];
test.each(REFUSED)("%s", (_what, text, expected) => expect(unplaced(text).sort()).toEqual(expected));
test("the table has cases", () => expect(REFUSED.length).toBeGreaterThan(0));
