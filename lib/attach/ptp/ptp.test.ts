import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import type { Attached, PodRoute } from "#lib/attach/kind.ts";
import { dualStack, ipv4Only, lines } from "../../../test/attach/sample.ts";
import { ptp } from "./ptp.ts";

const links = [
  "+ link eth0 [pod] veth up mtu 1450 mac 02:00:00:00:00:05 peer sv1",
  "+ link sv1 veth up mtu 1450 mac ee:ee:ee:ee:ee:ee peer eth0 no-ipv6-link-local",
];
const cases: [name: string, attached: Attached, lines: string[]][] = [
  [
    "dual stack",
    dualStack,
    [
      ...links,
      "+ addr 10.1.0.5/32 dev eth0 [pod]",
      "+ addr fd00::5/128 dev eth0 [pod]",
      "+ neigh 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 [pod] permanent",
      "+ neigh fe80::1 lladdr ee:ee:ee:ee:ee:ee dev eth0 [pod] permanent",
      "+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink",
      "+ route ::/0 via fe80::1 dev eth0 [pod]",
      "+ route 10.1.0.5/32 dev sv1",
      "+ neigh 10.1.0.5 lladdr 02:00:00:00:00:05 dev sv1 permanent",
      "+ route fd00::5/128 dev sv1",
      "+ neigh fd00::5 lladdr 02:00:00:00:00:05 dev sv1 permanent",
    ],
  ],
  [
    "IPv6 only",
    { ...dualStack, addresses: dualStack.addresses.slice(1) },
    [
      ...links,
      "+ addr fd00::5/128 dev eth0 [pod]",
      "+ neigh fe80::1 lladdr ee:ee:ee:ee:ee:ee dev eth0 [pod] permanent",
      "+ route ::/0 via fe80::1 dev eth0 [pod]",
      "+ route fd00::5/128 dev sv1",
      "+ neigh fd00::5 lladdr 02:00:00:00:00:05 dev sv1 permanent",
    ],
  ],
  [
    "IPv4 only, with host ports",
    { ...ipv4Only, published: true },
    [
      links[0] ?? "",
      `${links[1]} route-localnet`,
      "+ addr 10.1.0.5/32 dev eth0 [pod]",
      "+ neigh 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 [pod] permanent",
      "+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink",
      "+ route 10.1.0.5/32 dev sv1",
      "+ neigh 10.1.0.5 lladdr 02:00:00:00:00:05 dev sv1 permanent",
      "+ element inet selvedge localnet { sv1 }",
      "+ element inet selvedge hairpin4 { sv1 . 10.1.0.5 }",
    ],
  ],
  ["no address", { ...dualStack, addresses: [] }, links],
];
test.each(cases)("%s", (_name, attached, expected) => expect(lines(ptp.desired({}, attached).facts)).toEqual(expected));
test("the table has cases", () => expect(cases.length).toBeGreaterThan(3));

const routes: [name: string, given: PodRoute, made: PodRoute[]][] = [
  ["by the host", { to: prefix("10.9.0.0/16") }, [{ to: prefix("10.9.0.0/16"), via: address("169.254.1.1") }]],
  [
    "another gateway is the host as well",
    { to: prefix("10.9.0.0/16"), via: address("10.1.0.1") },
    [{ to: prefix("10.9.0.0/16"), via: address("169.254.1.1") }],
  ],
  [
    "the fields of CNI 1.1.0",
    { to: prefix("fd09::/64"), mtu: 1400, advmss: 1340, metric: 7, table: 100, scope: 0 },
    [{ to: prefix("fd09::/64"), mtu: 1400, advmss: 1340, metric: 7, table: 100, scope: 0, via: address("fe80::1") }],
  ],
  ["on the link itself", { to: prefix("10.9.0.0/16"), scope: 253 }, [{ to: prefix("10.9.0.0/16"), scope: 253 }]],
];
test.each(routes)("a route: %s", (_name, given, made) => {
  const built = ptp.desired({}, { ...dualStack, routes: [given] });
  expect(built.routes).toEqual(made);
  const [route] = made;
  expect(built.facts.filter((f) => f.type === "route" && f.at === "pod" && f.to === given.to)).toEqual([
    { type: "route", at: "pod", link: "eth0", ...route, ...(route?.via === "169.254.1.1" ? { onlink: true } : {}) },
  ]);
});
test("an empty list is no route at all", () =>
  expect(ptp.desired({}, { ...dualStack, routes: [] }).routes).toEqual([]));

test("a route of a family without an address is left out", () =>
  expect(ptp.desired({}, { ...ipv4Only, routes: [{ to: prefix("::/0") }] }).routes).toEqual([]));

test("what the result says", () => {
  const { facts: _, ...told } = ptp.desired({}, dualStack);
  expect(told).toEqual({
    shared: [],
    ips: [
      { address: "10.1.0.5/32", gateway: "169.254.1.1" },
      { address: "fd00::5/128", gateway: "fe80::1" },
    ],
    routes: [
      { to: "0.0.0.0/0", via: "169.254.1.1" },
      { to: "::/0", via: "fe80::1" },
    ],
    hostInterfaces: [{ name: "sv1", mac: "ee:ee:ee:ee:ee:ee", mtu: 1450 }],
    guard: "inet",
    shapedLink: "sv1",
  });
});
