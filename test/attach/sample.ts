/** One attachment for golden tables, and how they read facts. */
import { address, type Mac, mac, prefix } from "#lib/address.ts";
import type { Attached, Carrier } from "#lib/attach/kind.ts";
import type { Device } from "#lib/state/device.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";

/** Dual stack; the pool names an IPv4 gateway and no IPv6 gateway. */
export const dualStack: Attached = {
  containerId: "c1",
  ifname: "eth0",
  hostLink: "sv1",
  alias: "selvedge c1 eth0",
  mac: mac("02:00:00:00:00:05"),
  addresses: [{ address: prefix("10.1.0.5/16"), gateway: address("10.1.0.1") }, { address: prefix("fd00::5/64") }],
  mtu: 1450,
  published: false,
};

export const ipv4Only: Attached = { ...dualStack, addresses: dualStack.addresses.slice(0, 1) };

/** What a type with a parent finds. */
export const uplink: Carrier = { at: "host", name: "uplink", mac: mac("02:00:00:00:00:aa"), mtu: 9_000 };

/** What a type of a device finds: a virtual function. */
export const card: Device = {
  link: { name: "ens1f0v3", mac: mac("02:00:00:00:00:aa"), mtu: 1500, up: false, physical: true, pci: "0000:3b:02.3" },
  pci: "0000:3b:02.3",
  driver: "iavf",
  rdma: [],
  nodes: [],
  virtual: {
    link: "ens1f0",
    index: 3,
    settings: {
      mac: "00:00:00:00:00:00" as Mac,
      vlan: 0,
      qos: 0,
      vlanProtocol: "802.1Q",
      spoofCheck: true,
      trust: false,
    },
  },
};

/** What making the facts from nothing looks like. */
export const lines = (facts: readonly Fact[]): string[] => diff(facts, []).map(line);
