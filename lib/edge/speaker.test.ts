import { expect, test } from "@jest/globals";
import { address, type Prefix, prefix } from "#lib/address.ts";
import type { BgpSpec, RouterSpec } from "./router.ts";
import { sampleBgp, sampleRouter } from "./sample-router.ts";
import { speakerText } from "./speaker.ts";
import { type Speaking, speakerSpec, spokenPools } from "./speaker-spec.ts";

const NODE: Speaking = {
  pools: [
    { name: "default", prefixes: [prefix("10.66.0.0/16"), prefix("fd66::/64")], isExposed: true },
    { name: "media", prefixes: [prefix("10.67.0.0/20")], isExposed: false },
  ],
  addresses: [address("192.0.2.11"), address("2001:db8::11")],
  segments: [],
  egress: [],
};
const router = (name: string, bgp: Partial<BgpSpec> = {}, pools: readonly string[] = []): RouterSpec =>
  sampleRouter({ name, pools, bgp: sampleBgp(bgp) });
const TIMING: { holdSeconds: number; restartSeconds?: number } = { holdSeconds: 9 };
const text = (
  routers: readonly RouterSpec[],
  networks: readonly Prefix[],
  { node = NODE, timing = TIMING } = {},
): string[] => {
  const spec = speakerSpec(routers, node, timing);
  if (spec === undefined) return [];
  return speakerText(spec, { id: address("192.0.2.11"), networks })
    .trimEnd()
    .split("\n");
};

test("a router by IPv4 alone is told of both families", () => {
  expect(text([router("edge1")], [prefix("10.66.0.64/26"), prefix("10.66.0.0/26"), prefix("fd66::/122")])).toEqual([
    "ip prefix-list SELVEDGE-OUT-192.0.2.1 seq 5 permit 10.66.0.0/16 le 32",
    "ip prefix-list SELVEDGE-IN-192.0.2.1 seq 5 deny any",
    "ipv6 prefix-list SELVEDGE-OUT-192.0.2.1 seq 5 permit fd66::/64 le 128",
    "ipv6 prefix-list SELVEDGE-IN-192.0.2.1 seq 5 deny any",
    "router bgp 65001",
    " bgp router-id 192.0.2.11",
    " no bgp ebgp-requires-policy",
    " no bgp default ipv4-unicast",
    " bgp graceful-restart",
    " bgp graceful-restart restart-time 20",
    " bgp graceful-restart preserve-fw-state",
    " bgp bestpath as-path multipath-relax",
    " no bgp network import-check",
    " neighbor 192.0.2.1 remote-as 65000",
    " neighbor 192.0.2.1 description edge1",
    " neighbor 192.0.2.1 timers 3 9",
    " neighbor 192.0.2.1 timers connect 5",
    " neighbor 192.0.2.1 update-source 192.0.2.11",
    " address-family ipv4 unicast",
    "  network 10.66.0.0/26",
    "  network 10.66.0.64/26",
    "  neighbor 192.0.2.1 activate",
    "  neighbor 192.0.2.1 prefix-list SELVEDGE-IN-192.0.2.1 in",
    "  neighbor 192.0.2.1 prefix-list SELVEDGE-OUT-192.0.2.1 out",
    "  maximum-paths 8",
    "  maximum-paths ibgp 8",
    " exit-address-family",
    " address-family ipv6 unicast",
    "  network fd66::/122",
    "  neighbor 192.0.2.1 activate",
    "  neighbor 192.0.2.1 prefix-list SELVEDGE-IN-192.0.2.1 in",
    "  neighbor 192.0.2.1 prefix-list SELVEDGE-OUT-192.0.2.1 out",
    "  maximum-paths 8",
    "  maximum-paths ibgp 8",
    " exit-address-family",
    "exit",
  ]);
});

const inside = (spec: RouterSpec, lines: RegExp, more = {}) =>
  text([spec], [], more).filter((line) => lines.test(line));

test.each<[name: string, lines: RegExp, bgp: Partial<BgpSpec>, expected: string[]]>([
  [
    "each address has its own family where there is one of both",
    /activate|family/,
    { addresses: [address("192.0.2.1"), address("2001:db8::1")] },
    [
      " address-family ipv4 unicast",
      "  neighbor 192.0.2.1 activate",
      " exit-address-family",
      " address-family ipv6 unicast",
      "  neighbor 2001:db8::1 activate",
      " exit-address-family",
    ],
  ],
  ["a router that listens takes any address of the node's", /update-source/, { listen: [prefix("192.0.2.0/24")] }, []],
  [
    "a password, BFD and hops",
    /password|bfd|multihop|restart-disable/,
    { password: "s3cret", bfd: "fast", multihop: 3 },
    [
      " neighbor 192.0.2.1 password s3cret",
      " neighbor 192.0.2.1 ebgp-multihop 3",
      " neighbor 192.0.2.1 bfd",
      " neighbor 192.0.2.1 graceful-restart-disable",
    ],
  ],
  [
    "a default route is taken where one is given",
    /SELVEDGE-IN-192.0.2.1 seq/,
    { defaultRoute: true },
    [
      "ip prefix-list SELVEDGE-IN-192.0.2.1 seq 5 permit 0.0.0.0/0",
      "ipv6 prefix-list SELVEDGE-IN-192.0.2.1 seq 5 permit ::/0",
    ],
  ],
  [
    "one AS with the router",
    /^router|remote-as/,
    { nodesAs: "internal" },
    ["router bgp 65000", " neighbor 192.0.2.1 remote-as 65000"],
  ],
])("%s", (_name, lines, bgp, expected) => expect(inside(router("edge1", bgp), lines)).toEqual(expected));

test("a router is told of its pools and of egress addresses", () => {
  const node = { ...NODE, egress: [address("192.0.2.200")] };
  expect(inside(router("edge1", {}, ["media"]), /SELVEDGE-OUT-192.0.2.1 seq/, { node })).toEqual([
    "ip prefix-list SELVEDGE-OUT-192.0.2.1 seq 5 permit 10.67.0.0/20 le 32",
    "ip prefix-list SELVEDGE-OUT-192.0.2.1 seq 10 permit 192.0.2.200/32",
  ]);
});

test("of a router on many networks the address on the node's is called", () => {
  const node = { ...NODE, segments: [prefix("192.0.2.0/24")] };
  const addresses = [address("198.51.100.1"), address("192.0.2.1")];
  expect(inside(router("edge1", { addresses }), /remote-as/, { node })).toEqual([
    " neighbor 192.0.2.1 remote-as 65000",
  ]);
  expect(inside(router("edge1", { addresses: addresses.slice(0, 1) }), /remote-as/, { node })).toEqual([
    " neighbor 198.51.100.1 remote-as 65000",
  ]);
});

test("without time to restart nothing is kept meanwhile", () => {
  expect(inside(router("edge1"), /graceful/, { timing: { holdSeconds: 9, restartSeconds: 0 } })).toEqual([
    " bgp graceful-restart-disable",
  ]);
});

test("routers that nobody calls are not spoken to", () => {
  const uncalled = router("edge2", { addresses: [] }, ["media"]);
  expect(text([uncalled], [])).toEqual([]);
  expect([...spokenPools([router("edge1"), uncalled], NODE.pools)]).toEqual(["default"]);
});
