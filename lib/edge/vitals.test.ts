import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { lineOf } from "./path.ts";
import type { RouterSpec } from "./router.ts";
import { sampleBgp, sampleRouter } from "./sample-router.ts";
import { harm, lasting, type Vitals, vitalSigns, vitalsOf } from "./vitals.ts";

/** As FRR 8.4.4 says them. */
const SUMMARY = `
IPv4 Unicast Summary (VRF default):
BGP router identifier 203.0.113.252, local AS number 65000 vrf-id 0
BGP table version 1

Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
*192.0.2.1      4      65001        32        26        0    0    0 00:01:03            1        0 N/A
192.0.2.2       4      65001         0         0        0    0    0    never       Active        0 edge
r1(192.0.2.3)   4      65001        32        26        0    0    0 1d02h03m            0        0 N/A

IPv6 Unicast Summary (VRF default):
Neighbor        V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc
2001:db8::1     4      65001        32        26        0    0    0 00:01:03            1        0 N/A
2001:db8::2     4      65001         4         6        0    0    0 00:00:03         Idle (Admin)        0 N/A
`;
const ROUTES = `Codes: K - kernel route, C - connected, S - static, R - RIP,
       > - selected route, * - FIB route, q - queued, r - rejected, b - backup

S>* 10.66.0.0/16 [1/0] via 192.0.2.1, eth1, weight 1, 00:00:05
  *                    via 198.51.100.2, eth2, weight 1, 00:00:05
S   10.67.0.0/20 [1/0] via 192.0.2.9 inactive, weight 1, 00:00:05
S>* fd00:66::/48 [1/0] via 2001:db8::1, eth1, weight 1, 00:00:05
`;

test("sessions that are up, and routes that are used", () => {
  expect(vitalsOf([SUMMARY, ROUTES])).toEqual({
    sessions: new Set(["192.0.2.1", "192.0.2.3", "2001:db8::1"]),
    routes: new Set(["10.66.0.0/16", "fd00:66::/48"]),
  });
  expect(vitalsOf(["% BGP instance not found", ""])).toEqual({ sessions: new Set(), routes: new Set() });
});

const vitals = (sessions: readonly string[], routes: readonly string[] = []): Vitals => ({
  sessions: new Set(sessions.map((each) => address(each))),
  routes: new Set(routes.map((each) => prefix(each))),
});

test.each<[name: string, before: Vitals, now: Vitals, expected: string | undefined]>([
  ["nothing there was", vitals([]), vitals([]), undefined],
  ["all is there", vitals(["192.0.2.1"], ["10.66.0.0/16"]), vitals(["192.0.2.1"], ["10.66.0.0/16"]), undefined],
  ["one of two sessions", vitals(["192.0.2.1", "192.0.2.2"]), vitals(["192.0.2.1"]), undefined],
  [
    "two of three sessions",
    vitals(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    vitals(["192.0.2.2"]),
    "of 3 BGP sessions 2 are down: 192.0.2.1, 192.0.2.3",
  ],
  [
    "the only route",
    vitals([], ["10.66.0.0/16"]),
    vitals([]),
    "of 1 static routes 1 are not used any more: 10.66.0.0/16",
  ],
])("%s", (_name, before, now, expected) => expect(harm(before, now)).toBe(expected));

test("a dead node's session and a route that goes on purpose are not missed", () => {
  const view = {
    pools: [],
    egress: [],
    nodes: [
      { name: "a", addresses: [address("192.0.2.1")], isAlive: false, destinations: [] },
      { name: "b", addresses: [address("192.0.2.2")], isAlive: true, destinations: [] },
    ],
  };
  const before = vitals(["192.0.2.1", "192.0.2.2", "192.0.2.254"], ["10.66.0.0/16", "10.67.0.0/20"]);
  const wanted = [{ at: ["protocols", "static", "route", "10.67.0.0/20"], paths: [] }];
  expect(lasting(before, view, wanted, [])).toEqual(vitals(["192.0.2.2", "192.0.2.254"], ["10.67.0.0/20"]));
});

test("a neighbour that goes on purpose is not missed; one that is set anew is", () => {
  const at = (neighbour: string) => ["protocols", "bgp", "neighbor", neighbour];
  const [gone, anew, other] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
  const step = (neighbour: string, remote: string) => ({
    at: lineOf(at(neighbour)),
    removed: [lineOf([...at(neighbour), "remote-as", remote])],
    added: [],
  });
  const wanted = [{ at: at(anew), paths: [[...at(anew), "remote-as", "65002"]] }];
  const view = { pools: [], egress: [], nodes: [] };
  expect(lasting(vitals([gone, anew, other]), view, wanted, [step(gone, "65001"), step(anew, "65001")])).toEqual(
    vitals([anew, other]),
  );
});

test("what is asked", () => {
  const asked = (spec: Partial<RouterSpec>) => {
    const { static: _, ...rest } = sampleRouter();
    return vitalSigns({ ...rest, ...spec }).map((path) => path.join(" "));
  };
  const site = { name: "west", interface: "wg1", addresses: [], networks: [prefix("10.70.0.0/16")] };
  const session = { as: 65_000, remoteAs: 65_002, neighbour: address("10.255.0.2"), bfd: true };
  const bgp = sampleBgp();
  expect(asked({})).toEqual([]);
  expect(asked({ bgp })).toEqual(["bgp summary"]);
  expect(asked({ bgp: { ...bgp, vrf: "PODS" } })).toEqual(["bgp vrf PODS summary"]);
  expect(asked({ static: { routes: "pools" } })).toEqual(["ip route static", "ipv6 route static"]);
  expect(asked({ static: { routes: "pools", vrf: "PODS" } })).toEqual(["ip route vrf PODS", "ipv6 route vrf PODS"]);
  expect(asked({ bgp, sites: [site] })).toEqual(["bgp summary", "ip route static", "ipv6 route static"]);
  expect(asked({ bgp: { ...bgp, vrf: "PODS" }, sites: [{ ...site, bgp: session }] })).toEqual([
    "bgp vrf PODS summary",
    "bgp summary",
  ]);
  expect(asked({ static: { routes: "pools" }, sites: [{ ...site, bgp: session }] })).toEqual([
    "bgp summary",
    "ip route static",
    "ipv6 route static",
  ]);
});
