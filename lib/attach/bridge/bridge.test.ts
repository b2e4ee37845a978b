import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import type { Attached } from "#lib/attach/kind.ts";
import { root } from "#lib/parse.ts";
import { dualStack, ipv4Only, lines } from "../../../test/attach/sample.ts";
import { bridge } from "./bridge.ts";

const build = (config: unknown, attached: Attached) => bridge.desired(bridge.parse(root(config)), attached);

const cases: [name: string, config: object, attached: Attached, shared: string[], own: string[]][] = [
  [
    "gateway and default route, dual stack",
    { isDefaultGateway: true },
    dualStack,
    [
      "+ link selvedge0 bridge up mac 0a:86:76:30:da:17 no-ipv6-link-local route-localnet",
      "+ addr fe80::1/64 dev selvedge0",
      "+ addr 10.1.0.1/16 dev selvedge0",
      "+ addr fd00::1/64 dev selvedge0",
      "+ element inet selvedge localnet { selvedge0 }",
    ],
    [
      "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master selvedge0 no-ipv6-link-local",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ addr fd00::5/64 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route fd00::/64 dev eth0 [pod]",
      "+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]",
      "+ route ::/0 via fd00::1 dev eth0 [pod]",
      "+ element inet selvedge hairpin4 { selvedge0 . 10.1.0.5 }",
      "+ element inet selvedge hairpin6 { selvedge0 . fd00::5 }",
    ],
  ],
  [
    "a segment without the node on it",
    { bridge: "br7", promiscMode: true },
    ipv4Only,
    ["+ link br7 bridge up mac 0a:35:4c:30:f2:b7 promisc no-ipv6-link-local"],
    [
      "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master br7 no-ipv6-link-local",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
    ],
  ],
  [
    "configured routes, hairpin",
    { isGateway: true, hairpinMode: true },
    { ...ipv4Only, routes: [{ to: prefix("10.9.0.0/16") }, { to: prefix("10.8.0.0/16"), via: address("10.1.0.9") }] },
    [
      "+ link selvedge0 bridge up mac 0a:86:76:30:da:17 no-ipv6-link-local route-localnet",
      "+ addr 10.1.0.1/16 dev selvedge0",
      "+ element inet selvedge localnet { selvedge0 }",
    ],
    [
      "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master selvedge0 hairpin no-ipv6-link-local",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route 10.9.0.0/16 via 10.1.0.1 dev eth0 [pod]",
      "+ route 10.8.0.0/16 via 10.1.0.9 dev eth0 [pod]",
      "+ element inet selvedge hairpin4 { selvedge0 . 10.1.0.5 }",
    ],
  ],
  [
    "a gateway in a VLAN is a port of its own",
    { bridge: "br7", isDefaultGateway: true, vlan: 100 },
    ipv4Only,
    [
      "+ link br7 bridge up mac 0a:35:4c:30:f2:b7 vlan-filtering no-ipv6-link-local",
      "+ link br7.100 veth up mtu 1450 mac 0a:92:e9:f0:30:22 peer sgea2f141c428 no-ipv6-link-local route-localnet",
      "+ link sgea2f141c428 veth up mtu 1450 peer br7.100 master br7 no-ipv6-link-local",
      "+ vlan 100 dev sgea2f141c428 pvid untagged",
      "+ addr 10.1.0.1/16 dev br7.100",
      "+ element inet selvedge localnet { br7.100 }",
    ],
    [
      "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master br7 no-ipv6-link-local",
      "+ vlan 100 dev sv1 pvid untagged",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]",
      "+ element inet selvedge hairpin4 { br7.100 . 10.1.0.5 }",
    ],
  ],
  [
    "a trunk that keeps the bridge's own VLAN",
    { bridge: "br7", vlan: 100, vlanTrunk: [{ minID: 7, maxID: 8 }], preserveDefaultVlan: true },
    { ...ipv4Only, addresses: [] },
    ["+ link br7 bridge up mac 0a:35:4c:30:f2:b7 vlan-filtering no-ipv6-link-local"],
    [
      "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master br7 no-ipv6-link-local",
      "+ vlan 100 dev sv1 pvid untagged",
      "+ vlan 1 dev sv1 untagged",
      "+ vlan 7 dev sv1",
      "+ vlan 8 dev sv1",
      "+ element bridge selvedge allowed_vlan { sv1 . 7 }",
      "+ element bridge selvedge allowed_vlan { sv1 . 8 }",
    ],
  ],
  [
    "a link that stays down",
    { bridge: "br7", disableContainerInterface: true },
    { ...ipv4Only, addresses: [] },
    ["+ link br7 bridge up mac 0a:35:4c:30:f2:b7 no-ipv6-link-local"],
    [
      "+ link eth0 [pod] veth down mtu 1450 mac 02:00:00:00:00:05 peer sv1",
      "+ link sv1 veth up mtu 1450 mac 06:44:e3:af:9f:ae peer eth0 master br7 no-ipv6-link-local",
    ],
  ],
];
test.each(cases)("%s", (_name, config, attached, shared, own) => {
  const built = build(config, attached);
  expect(lines(built.shared)).toEqual(shared);
  expect(lines(built.facts)).toEqual(own);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(3));

test("addresses are announced", () =>
  expect(build({}, ipv4Only).facts.filter((f) => f.type === "address")).toEqual([
    { type: "address", at: "pod", link: "eth0", address: "10.1.0.5/16", announce: true, noPrefixRoute: true },
  ]));

test("two addresses of one subnet have one route to it", () => {
  const two = [{ address: prefix("10.1.0.5/16") }, { address: prefix("10.1.0.6/16") }];
  const made = build({}, { ...ipv4Only, addresses: two }).facts.filter((f) => f.type === "route");
  expect(lines(made)).toEqual(["+ route 10.1.0.0/16 dev eth0 [pod]"]);
});

test("a configured default route is kept", () => {
  const routes = [{ to: prefix("0.0.0.0/0"), via: address("10.1.0.9") }];
  expect(build({ isDefaultGateway: true }, { ...ipv4Only, routes }).routes).toEqual(routes);
});

test("host ports turn hairpin on, unless the bridge is promiscuous", () => {
  const port = (config: object) =>
    build(config, { ...ipv4Only, published: true }).facts.find((f) => f.type === "link" && f.at === "host");
  expect(port({})).toMatchObject({ hairpin: true });
  expect(port({ promiscMode: true })).not.toHaveProperty("hairpin");
});

test("what is shared does not depend on the attachment", () => {
  const other = { ...dualStack, containerId: "c2", hostLink: "sv2", published: true };
  expect(build({ isGateway: true }, other).shared).toEqual(build({ isGateway: true }, dualStack).shared);
});

test("what the result says", () => {
  const { facts: _, shared: __, ...told } = build({ isGateway: true, macspoofchk: false }, dualStack);
  expect(told).toEqual({
    ips: [
      { address: "10.1.0.5/16", gateway: "10.1.0.1" },
      { address: "fd00::5/64", gateway: "fd00::1" },
    ],
    routes: [],
    hostInterfaces: [
      { name: "selvedge0", mac: "0a:86:76:30:da:17", mtu: 1450 },
      { name: "sv1", mac: "06:44:e3:af:9f:ae", mtu: 1450 },
    ],
    guard: "bridge",
    shapedLink: "sv1",
    underlay: false,
    spoofProtection: false,
  });
});

test("a link that stays down takes no address", () => {
  expect(bridge.addressless?.(bridge.parse(root({ disableContainerInterface: true })))).toBe(true);
  expect(bridge.addressless?.(bridge.parse(root({})))).toBe(false);
  expect(() => build({ disableContainerInterface: true }, dualStack)).toThrow("has no address, but the pool gave one");
});
