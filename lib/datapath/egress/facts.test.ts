import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import { line } from "#lib/state/line.ts";
import type { Here } from "../ways/ends.ts";
import { type EgressPath, egressFacts, leavers } from "./facts.ts";

const HERE: Here = {
  addresses: [address("192.0.2.1")],
  tunnelAddresses: [address("10.66.0.1")],
  tunnelMac: mac("02:00:00:00:00:01"),
  vxlan: { vni: 4_096, port: 4_789 },
  gre: { key: 7 },
  encrypt: false,
  flowOffload: false,
};
const WAY: ChosenWay = {
  way: "vxlan",
  encrypted: false,
  to: address("192.0.2.2"),
  egress: { to: address("192.0.2.2"), link: "eth0", mtuBytes: 1_500, source: address("192.0.2.1") },
  mtuBytes: 1_450,
  reason: "",
};
const PORT = {
  name: "billing",
  addresses: [address("192.0.2.200"), address("2001:db8::200")],
  vni: 9_816_044,
};
const MAC = mac("02:00:00:00:00:02");
const TUNNEL = "link se45132346d076 vxlan up id 9816044 mtu 1450 mac 02:00:00:00:00:01 no-ipv6-link-local";
const NOWHERE_4 = "route unreachable 0.0.0.0/0 dev lo metric 2147418112 table 53000";
const NOWHERE_6 = "route unreachable ::/0 dev lo metric 2147418112 table 53000";
const RULE_4 = "rule priority 5390 from all fwmark 0x1000000/0xff000000 table 53000";
const RULE_6 = "rule -6 priority 5390 from all fwmark 0x1000000/0xff000000 table 53000";

const CASES: readonly [what: string, here: Here, exits: EgressPath["exits"], expected: readonly string[]][] = [
  ["both families here", HERE, { 4: { kind: "here" }, 6: { kind: "here" } }, [TUNNEL]],
  [
    "nobody has one, the other is elsewhere",
    HERE,
    { 4: { kind: "nowhere" }, 6: { kind: "node", way: WAY, mac: MAC } },
    [
      TUNNEL,
      NOWHERE_4,
      RULE_4,
      NOWHERE_6,
      "fdb 02:00:00:00:00:02 dev se45132346d076 dst 192.0.2.2",
      "neigh fe80::53 lladdr 02:00:00:00:00:02 dev se45132346d076 permanent",
      "route ::/0 via fe80::53 dev se45132346d076 onlink mtu 1450 table 53000",
      RULE_6,
    ],
  ],
  [
    "within WireGuard",
    { ...HERE, encrypt: true },
    { 4: { kind: "node", way: { ...WAY, encrypted: true, to: address("10.66.0.65"), mtuBytes: 1_390 }, mac: MAC } },
    [
      "link se45132346d076 vxlan up id 9816044 mtu 1390 mac 02:00:00:00:00:01 no-ipv6-link-local",
      NOWHERE_4,
      "route 10.66.0.65/32 dev swg0 src 10.66.0.1 mtu 1440",
      "fdb 02:00:00:00:00:02 dev se45132346d076 dst 10.66.0.65",
      "neigh 169.254.83.1 lladdr 02:00:00:00:00:02 dev se45132346d076 permanent",
      "route 0.0.0.0/0 via 169.254.83.1 dev se45132346d076 onlink mtu 1390 table 53000",
      RULE_4,
    ],
  ],
];

test.each(CASES)("%s", (_what, here, exits, expected) => {
  const facts = egressFacts(here, 1_500, 4_789, { index: 0, port: PORT, exits });
  expect(facts.map((fact) => line({ do: "add", fact }).slice(2))).toEqual(expected);
});

test("a pod leaves by addresses of the families that there are", () => {
  const pods = [address("10.66.0.5"), address("fd00::5")];
  const text = (addresses: typeof pods) => leavers(pods, 1, addresses).map((fact) => line({ do: "add", fact }));
  expect(text(PORT.addresses)).toEqual([
    "+ element inet selvedge egress4 { 10.66.0.5 : 0x2000000 }",
    "+ element inet selvedge egress6 { fd00::5 : 0x2000000 }",
  ]);
  expect(text([address("192.0.2.200")])).toEqual(["+ element inet selvedge egress4 { 10.66.0.5 : 0x2000000 }"]);
});
