import { expect, test } from "@jest/globals";
import { address, contains, type Prefix, prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { line } from "#lib/state/line.ts";
import { fc } from "../../test/support/property.ts";
import { overheadOf, segmentFacts } from "./overlay.ts";
import { peeringFacts } from "./peering.ts";
import { probeAddress, probeElements, probeFactsOfNode, probesIn, refuseRouted, transferIn } from "./probe.ts";
import { routerChains, uplinkChains } from "./tenant-chains.ts";
import { type Transfer, transferFor } from "./transfer.ts";
import { isJointLink, uplinkFacts } from "./uplink.ts";

const RANGES = ["169.254.16.0/20", "fd42:5e1f:ed9d::/112"].map((p) => prefix(p));
const PROBES = ["169.254.128.0/17", "fd42:5e1f:ed9d:1::/64"].map((p) => prefix(p));
const lines = (facts: Parameters<typeof line>[0]["fact"][]) => facts.map((fact) => line({ do: "add", fact }));
const blue = transferFor("blue", { ranges: RANGES, taken: [] });

/** Of tenants that come one after another. */
function transfers(tenants: readonly string[], ranges: readonly Prefix[]): Map<string, Transfer> {
  const found = new Map<string, Transfer>();
  for (const tenant of tenants) found.set(tenant, transferFor(tenant, { ranges, taken: [...found.values()] }));
  return found;
}

test("transfer addresses are pairs of the ranges and of nobody else, and stay whoever comes or goes", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(names, (tenants) => {
      const found = transfers(tenants, RANGES);
      const all = [...found.values()].flatMap((ends) => ends.flatMap(({ node, router }) => [node, router]));
      expect(new Set(all).size).toBe(4 * tenants.length);
      for (const one of all) expect(RANGES.some((range) => contains(range, one))).toBe(true);
      const again = new Map<string, Transfer>();
      for (const tenant of tenants.toReversed()) {
        const kept = found.get(tenant) ?? [];
        again.set(tenant, transferFor(tenant, { ranges: RANGES, kept, taken: [...again.values()] }));
      }
      expect(new Map([...again].toReversed())).toEqual(found);
    }),
  );
  expect(() => transfers(["a", "b", "c"], [prefix("10.0.0.0/30")])).toThrow(
    "routers.transferRanges: 10.0.0.0/30 has room for 2 tenants' routers, and all stand; use a larger range",
  );
});

test("of two tenants with the same transfer addresses the later one gets others, and none that is of no range is kept", () => {
  const ranges = [prefix("10.0.0.0/30")];
  const ends = (...tenants: readonly string[]) =>
    [...transfers(tenants, ranges).values()].flatMap((of) => of.map(({ node }) => node));
  const rivals = ["b", "c", "d", "e"].filter((name) => ends(name)[0] === ends("a")[0]);
  expect(rivals.length).toBeGreaterThan(0);
  for (const rival of rivals) {
    expect(ends(rival, "a")[0]).toBe(ends(rival)[0]);
    expect(ends("a", rival)[0]).toBe(ends("a")[0]);
  }
  const elsewhere = transferFor("a", { ranges: [prefix("10.1.0.0/30")], taken: [] });
  expect(transferFor("a", { ranges, kept: elsewhere, taken: [] })).toEqual(transferFor("a", { ranges, taken: [] }));
});

test("facts of the node tell the uplink that they count on", () => {
  const probes = [
    { pod: address("10.0.0.5"), probe: address("169.254.128.7") },
    { pod: address("fd00::5"), probe: address("fd42:5e1f:ed9d:1::7") },
  ];
  const facts = probeFactsOfNode({ tenant: "blue", transfer: blue, probes });
  expect(transferIn(facts, "blue")).toEqual(blue);
  expect(transferIn(facts, "green")).toEqual([]);
});

test("an uplink is a pair of links with one address at each end, guarded on the node", () => {
  const ends = blue.slice(0, 1);
  expect(lines(uplinkFacts({ tenant: "blue", transfer: ends, mtu: 1500 }))).toEqual([
    "+ link sted56f3beeb1 veth up mtu 1500 mac ee:ee:ee:ee:ee:ee peer uplink0 no-ipv6-link-local route-localnet",
    "+ link uplink0 [pod] veth up mtu 1500 mac ee:ee:ee:ee:ee:ed peer sted56f3beeb1 no-ipv6-link-local",
    "+ addr 169.254.18.28/31 dev sted56f3beeb1",
    "+ addr 169.254.18.29/31 dev uplink0 [pod]",
    "+ neigh 169.254.18.29 lladdr ee:ee:ee:ee:ee:ed dev sted56f3beeb1 permanent",
    "+ neigh 169.254.18.28 lladdr ee:ee:ee:ee:ee:ee dev uplink0 [pod] permanent",
    "+ route 0.0.0.0/0 via 169.254.18.28 dev uplink0 [pod]",
    "+ element inet selvedge hairpin4 { sted56f3beeb1 . 169.254.18.29 }",
    "+ element inet selvedge uplinks { sted56f3beeb1 }",
    "+ element inet selvedge localnet { sted56f3beeb1 }",
    "+ element inet selvedge allowed4 { sted56f3beeb1 . ee:ee:ee:ee:ee:ed . 169.254.18.29 }",
    "+ element inet selvedge allowed_mac { sted56f3beeb1 . ee:ee:ee:ee:ee:ed }",
    "+ element inet selvedge guarded { sted56f3beeb1 }",
  ]);
});

test("an address for probes follows from the key, and steps aside for one that is taken", () => {
  const key = { containerId: "c1", ifname: "eth0" };
  const pod = address("10.0.0.2");
  const free = { ranges: PROBES, isTaken: () => false };
  const first = probeAddress(key, pod, free);
  expect(probeAddress(key, pod, free)).toBe(first);
  const next = probeAddress(key, pod, { ranges: PROBES, isTaken: (taken) => taken === first });
  expect(next).not.toBe(first);
  expect(contains(PROBES[0] as Prefix, next)).toBe(true);
  expect(contains(PROBES[1] as Prefix, probeAddress(key, address("fd00::2"), free))).toBe(true);
});

test("metadata services of clouds never stand for a pod", () => {
  const metadata = { ranges: [prefix("169.254.169.254/31")], isTaken: () => false };
  expect(() => probeAddress({ containerId: "c", ifname: "eth0" }, address("10.0.0.2"), metadata)).toThrow(
    "routers.probeRanges: no address of 169.254.169.254/31 is free for probes",
  );
  try {
    probeAddress({ containerId: "c", ifname: "eth0" }, address("fd00::2"), metadata);
    expect("thrown").toBe("not thrown");
  } catch (error) {
    expect(isFailure(error, "config-invalid")).toBe(true);
  }
});

test("a probe is a way on the node and an element in the router, from which it can be read again", () => {
  const probes = [{ pod: address("10.0.0.2"), probe: address("169.254.130.7") }];
  expect(lines(probeFactsOfNode({ tenant: "blue", transfer: blue, probes }))).toEqual([
    "+ route 169.254.130.7/32 via 169.254.18.29 dev sted56f3beeb1 src 169.254.18.28",
    "+ element inet selvedge allowed4 { sted56f3beeb1 . ee:ee:ee:ee:ee:ed . 169.254.130.7 }",
  ]);
  expect(lines(probeElements(probes))).toEqual(["+ element inet selvedge probe4 { 169.254.130.7 : 10.0.0.2 }"]);
  expect(probesIn(probeElements(probes))).toEqual(probes);
});

test("peers have a route to each other's networks and to nothing else", () => {
  const sides = [
    { tenant: "blue", networks: [prefix("10.0.0.0/16")] },
    { tenant: "red", networks: [prefix("10.3.0.0/24"), prefix("fd03::/64")] },
  ] as const;
  const facts = peeringFacts(sides[0], sides[1], 1500);
  expect(lines(facts.filter(({ type }) => type === "route"))).toEqual([
    "+ route 10.3.0.0/24 via 169.254.1.1 dev sp460752cf03b onlink",
    "+ route fd03::/64 via fe80::1 dev sp460752cf03b",
    "+ route 10.0.0.0/16 via 169.254.1.1 dev sped56f3beeb1 [pod] onlink",
  ]);
  expect(facts.filter(({ type }) => type === "link").every((fact) => "name" in fact && isJointLink(fact.name))).toBe(
    true,
  );
});

test("the node lets in by an uplink what answers and what it translated", () => {
  const chains = uplinkChains({ transferRanges: RANGES, probeRanges: PROBES });
  expect(chains.map(({ name, rules }) => [name, ...rules])).toEqual([
    ["to_tenant", "ct direction reply return", "ct state related return", "ct status dnat return", "counter drop"],
    ["tenants", "oifname @uplinks jump to_tenant"],
    [
      "transit",
      "ip saddr { 169.254.16.0/20 } ip daddr != { 169.254.16.0/20, 169.254.128.0/17 } masquerade",
      "ip6 saddr { fd42:5e1f:ed9d::/112 } ip6 daddr != { fd42:5e1f:ed9d::/112, fd42:5e1f:ed9d:1::/64 } masquerade",
    ],
  ]);
});

const ROUTERS: [what: string, rules: Parameters<typeof routerChains>[0], chain: string, wanted: string[]][] = [
  ["egress", { egress: true, services: [], peers: [] }, "router_out", ['oifname "uplink0" masquerade']],
  [
    "no egress",
    { egress: false, services: [], peers: [] },
    "router_out",
    ['oifname "uplink0" ct status dnat masquerade'],
  ],
  [
    "no egress, forwarded",
    { egress: false, services: [], peers: [] },
    "router_forward",
    [
      "ct direction reply return",
      "ct state related return",
      'iifname "uplink0" ct status dnat return',
      'iifname "uplink0" counter drop',
      'oifname "uplink0" ct status dnat return',
      'oifname "uplink0" counter drop',
    ],
  ],
  [
    "a service",
    {
      egress: false,
      services: [
        {
          address: address("10.99.0.53"),
          protocol: "udp",
          port: 53,
          to: { address: address("192.0.2.5"), port: 5353 },
        },
      ],
      peers: [],
    },
    "router_in",
    [
      'iifname "uplink0" dnat ip to ip daddr map @probe4',
      'iifname "uplink0" dnat ip6 to ip6 daddr map @probe6',
      'iifname != "uplink0" dnat ip to ip daddr . meta l4proto . th dport map { 10.99.0.53 . udp . 53 : 192.0.2.5 . 5353 }',
    ],
  ],
  [
    "a peer",
    { egress: true, services: [], peers: [{ tenant: "red", networks: [prefix("10.3.0.0/24")] }] },
    "router_forward",
    [
      "ct direction reply return",
      "ct state related return",
      'iifname "sp460752cf03b" meta nfproto ipv4 ip saddr != { 10.3.0.0/24 } counter drop',
      'iifname "sp460752cf03b" meta nfproto ipv6 counter drop',
      'iifname { "sp460752cf03b" } oifname { "uplink0", "sp460752cf03b" } counter drop',
      'iifname "uplink0" ct status dnat return',
      'iifname "uplink0" counter drop',
    ],
  ],
];
test.each(ROUTERS)("a router: %s", (_what, rules, chain, wanted) => {
  expect(routerChains(rules).find(({ name }) => name === chain)?.rules).toEqual(wanted);
});

test("a segment sends what is for everybody to each of the other nodes", () => {
  const peers = [address("192.0.2.2"), address("192.0.2.3")];
  const facts = segmentFacts({ network: "g", bridge: "br0", vni: 7, port: 4789, peers, parent: "eth0", mtu: 1450 });
  expect(lines(facts)).toEqual([
    "+ link sxf93402898e2 [pod] vxlan up parent eth0 id 7 mtu 1450 master br0 no-ipv6-link-local",
    "+ fdb 00:00:00:00:00:00 dev sxf93402898e2 [pod] dst 192.0.2.2",
    "+ fdb 00:00:00:00:00:00 dev sxf93402898e2 [pod] dst 192.0.2.3",
  ]);
  expect([overheadOf(undefined), overheadOf({ peers }), overheadOf({ peers: [address("2001:db8::1")] })]).toEqual([
    0, 50, 70,
  ]);
});

const ROUTED: [what: string, route: string, refused: boolean][] = [
  ["a network inside", "169.254.200.0/24", true],
  ["the range itself", "169.254.128.0/17", true],
  ["all of link-local", "169.254.0.0/16", false],
  ["the metadata service", "169.254.169.254/32", false],
  ["a network elsewhere", "192.0.2.0/24", false],
];
test.each(ROUTED)("a node that has a route to %s (%s)", (_what, route, refused) => {
  const look = () => refuseRouted("routers.probeRanges", PROBES, [prefix(route)]);
  if (refused)
    expect(look).toThrow(
      `routers.probeRanges: 169.254.128.0/17 holds ${route}, which the node has a route to; choose a range that it does not use`,
    );
  else expect(look).not.toThrow();
});
