import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import type { Result } from "#lib/cni/types.ts";
import { lines } from "../../test/attach/sample.ts";
import type { Wishes } from "./add-ons.ts";
import { chained } from "./chained.ts";

const key = { containerId: "c1", ifname: "eth0" };
const pod = { name: "eth0", mac: "02:00:00:00:00:05", sandbox: "/run/netns/c1" };
const result = (
  interfaces: Result["interfaces"],
  ips: Result["ips"] = [{ address: prefix("10.1.0.5/16") }],
): Result => ({
  interfaces,
  ips,
  routes: [],
  dns: {},
});
const none: Wishes = { masquerade: false, spoofProtection: false, portMappings: [] };
const everything: Wishes = {
  masquerade: true,
  spoofProtection: true,
  portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "udp" }],
  bandwidth: { ingressRate: 1_000_000, egressRate: 1_000_000 },
};

const cases: [name: string, previous: Result, wishes: Wishes, own: string[], shared: string[]][] = [
  ["nothing asked for", result([pod]), none, [], []],
  [
    "behind a routed pair",
    result([{ name: "veth1" }, { ...pod, mtu: 1400 }]),
    everything,
    [
      "+ element inet selvedge allowed4 { veth1 . 02:00:00:00:00:05 . 10.1.0.5 }",
      "+ element inet selvedge allowed_mac { veth1 . 02:00:00:00:00:05 }",
      "+ element inet selvedge guarded { veth1 }",
      "+ element inet selvedge masq4 { 10.1.0.5 }",
      "+ element inet selvedge ports4 { udp . 8080 : 10.1.0.5 . 80 }",
      "+ qdisc tbf dev veth1 rate 1000000bit burst 32768b latency 25000us",
      "+ link sbec43057c07a ifb up mtu 1400 no-ipv6-link-local",
      "+ qdisc tbf dev sbec43057c07a rate 1000000bit burst 32768b latency 25000us",
      "+ filter ingress dev veth1 redirect sbec43057c07a",
      "+ element inet selvedge hairpin4 { veth1 . 10.1.0.5 }",
    ],
    ["+ sysctl net/ipv4/conf/veth1/route_localnet=1", "+ element inet selvedge localnet { veth1 }"],
  ],
  [
    "behind a bridge, other interfaces' addresses left out",
    result(
      [{ name: "cni0" }, { name: "veth1" }, pod, { name: "net1", sandbox: "/run/netns/c1" }],
      [
        { address: prefix("10.1.0.5/16"), interface: 2 },
        { address: prefix("10.9.0.5/16"), interface: 3 },
      ],
    ),
    { ...everything, bandwidth: {} },
    [
      "+ element bridge selvedge allowed4 { veth1 . 02:00:00:00:00:05 . 10.1.0.5 }",
      "+ element bridge selvedge allowed_mac { veth1 . 02:00:00:00:00:05 }",
      "+ element bridge selvedge guarded { veth1 }",
      "+ element inet selvedge masq4 { 10.1.0.5 }",
      "+ element inet selvedge ports4 { udp . 8080 : 10.1.0.5 . 80 }",
      "+ element inet selvedge hairpin4 { cni0 . 10.1.0.5 }",
    ],
    ["+ sysctl net/ipv4/conf/cni0/route_localnet=1", "+ element inet selvedge localnet { cni0 }"],
  ],
  [
    "an interface without a host's end",
    result([pod]),
    { ...none, masquerade: true, portMappings: everything.portMappings },
    ["+ element inet selvedge masq4 { 10.1.0.5 }", "+ element inet selvedge ports4 { udp . 8080 : 10.1.0.5 . 80 }"],
    [],
  ],
];
test.each(cases)("%s", (_name, previous, wishes, own, shared) => {
  const made = chained(previous, key, wishes);
  expect(lines(made.facts)).toEqual(own);
  expect(lines(made.shared)).toEqual(shared);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(3));

const refused: [message: string, previous: Result, wishes: Wishes][] = [
  ["prevResult: it lacks an interface eth0 with a sandbox", result([{ name: "eth0" }]), none],
  [
    "prevResult: it lacks an interface on the host, where the pod's packets can be filtered",
    result([pod]),
    { ...none, spoofProtection: true },
  ],
  [
    "prevResult: it lacks the MAC of the pod's interface, which spoof protection needs",
    result([{ name: "veth1" }, { name: "eth0", sandbox: "/run/netns/c1" }]),
    { ...none, spoofProtection: true },
  ],
  [
    "prevResult: it lacks an interface on the host, where traffic can be shaped",
    result([pod]),
    { ...none, bandwidth: { ingressRate: 1_000_000 } },
  ],
];
test.each(refused)("%s", (message, previous, wishes) => expect(() => chained(previous, key, wishes)).toThrow(message));
