import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import type { PortMapping } from "#lib/cni/types.ts";
import { lines } from "../../test/attach/sample.ts";
import { hostPortClaims, portElements } from "./host-ports.ts";

const [a4, a6] = [address("10.1.0.5"), address("fd00::5")];
const web: PortMapping = { hostPort: 8080, containerPort: 80, protocol: "tcp" };
const on = (hostIp: string): PortMapping => ({ ...web, hostIp: address(hostIp) });

const cases: [name: string, mappings: PortMapping[], addresses: Address[], lines: string[], claims: string[]][] = [
  ["none", [], [a4], [], []],
  [
    "every address, both families",
    [web],
    [a4, a6],
    [
      "+ element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge ports6 { tcp . 8080 : fd00::5 . 80 }",
    ],
    ["tcp 0.0.0.0:8080", "tcp [::]:8080"],
  ],
  [
    "the family that the pod has",
    [web],
    [a6],
    ["+ element inet selvedge ports6 { tcp . 8080 : fd00::5 . 80 }"],
    ["tcp [::]:8080"],
  ],
  [
    "0.0.0.0 is every IPv4 address",
    [on("0.0.0.0")],
    [a4, a6],
    ["+ element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }"],
    ["tcp 0.0.0.0:8080"],
  ],
  [
    ":: is every IPv6 address",
    [on("::")],
    [a4, a6],
    ["+ element inet selvedge ports6 { tcp . 8080 : fd00::5 . 80 }"],
    ["tcp [::]:8080"],
  ],
  [
    "one address beside all of them",
    [on("192.0.2.1"), on("2001:db8::1"), web],
    [a4, a6],
    [
      "+ element inet selvedge ports4_ip { 192.0.2.1 . tcp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge ports6_ip { 2001:db8::1 . tcp . 8080 : fd00::5 . 80 }",
      "+ element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge ports6 { tcp . 8080 : fd00::5 . 80 }",
    ],
    ["tcp 192.0.2.1:8080", "tcp [2001:db8::1]:8080", "tcp 0.0.0.0:8080", "tcp [::]:8080"],
  ],
  [
    "one port of every protocol, to the first address",
    [web, { ...web, protocol: "udp" }, { ...web, protocol: "sctp" }],
    [a4, address("10.1.0.6")],
    [
      "+ element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge ports4 { udp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge ports4 { sctp . 8080 : 10.1.0.5 . 80 }",
    ],
    ["tcp 0.0.0.0:8080", "udp 0.0.0.0:8080", "sctp 0.0.0.0:8080"],
  ],
];
test.each(cases)("%s", (_name, mappings, addresses, expected, claims) => {
  const made = portElements({ mappings, addresses });
  expect(lines(made)).toEqual(expected);
  expect(hostPortClaims(made)).toEqual(claims);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(5));

test.each([
  [
    "runtimeConfig.portMappings[1]: host port tcp 0.0.0.0:8080 is mapped twice",
    [web, { ...web, containerPort: 81 }],
    [a4],
  ],
  ["runtimeConfig.portMappings[1]: host port tcp 0.0.0.0:8080 is mapped twice", [web, on("0.0.0.0")], [a4, a6]],
  [
    "runtimeConfig.portMappings[0]: host port tcp [::1]:8080 needs a pod address of its family, and the pod has none",
    [on("::1")],
    [a4],
  ],
  [
    "runtimeConfig.portMappings[0]: host port tcp 8080 needs a pod address of its family, and the pod has none",
    [web],
    [],
  ],
] as [string, PortMapping[], Address[]][])("%s", (message, mappings, addresses) =>
  expect(() => portElements({ mappings, addresses })).toThrow(message),
);

test("other facts claim nothing", () =>
  expect(
    hostPortClaims([
      { type: "sysctl", at: "host", key: "net/ipv4/ip_forward", value: "1" },
      { type: "element", at: "host", family: "inet", table: "selvedge", set: "masq4", key: ["10.1.0.5"] },
    ]),
  ).toEqual([]));
