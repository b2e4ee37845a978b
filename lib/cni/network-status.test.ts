import { expect, test } from "@jest/globals";
import { networkStatus, type StatusPlane } from "./network-status.ts";
import type { Result } from "./types.ts";

const sandbox = "/run/netns/p";
const RESULT = {
  interfaces: [
    { name: "sv1", mac: "02:00:00:00:00:aa" },
    { name: "eth0", mac: "02:00:00:00:00:01", sandbox },
    // A bridge of the node may be called as an interface of the pod is.
    { name: "net1", mac: "02:00:00:00:00:bb" },
    { name: "net1", mac: "02:00:00:00:00:02", sandbox, pciID: "0000:18:02.5" },
    { name: "vfio", sandbox },
  ],
  ips: [
    { address: "10.1.0.5/16", interface: 1 },
    { address: "fd00::5/64", interface: 1 },
    { address: "10.2.0.5/24", interface: 3 },
  ],
  routes: [
    { dst: "10.9.0.0/16", gw: "10.1.0.9" },
    { dst: "0.0.0.0/0", gw: "10.1.0.1" },
    { dst: "::/0", gw: "fd00::1" },
    { dst: "0.0.0.0/0", gw: "10.2.0.1", table: 101 },
  ],
  dns: { nameservers: ["10.1.0.53"] },
} as unknown as Result;
const plane = (name: string, ifname: string, more: Partial<StatusPlane> = {}): StatusPlane => ({
  name,
  ifname,
  isDefault: false,
  leads: false,
  ...more,
});

test("every plane as the standard has it", () => {
  const planes = [
    plane("net", "eth0", { isDefault: true, leads: true }),
    plane("shop/blue", "net1"),
    plane("shop/user", "vfio"),
  ];
  expect(networkStatus(planes, RESULT)).toEqual([
    {
      name: "net",
      interface: "eth0",
      ips: ["10.1.0.5", "fd00::5"],
      mac: "02:00:00:00:00:01",
      default: true,
      dns: { nameservers: ["10.1.0.53"] },
      gateway: ["10.1.0.1", "fd00::1"],
    },
    {
      name: "shop/blue",
      interface: "net1",
      ips: ["10.2.0.5"],
      mac: "02:00:00:00:00:02",
      default: false,
      "device-info": { type: "pci", version: "1.1.0", pci: { "pci-address": "0000:18:02.5" } },
    },
    { name: "shop/user", interface: "vfio", default: false },
  ]);
});

test("the gateways are those of the plane that leads", () => {
  const told = networkStatus([plane("net", "eth0", { isDefault: true }), plane("b", "net1", { leads: true })], RESULT);
  expect(told.map(({ gateway }) => gateway)).toEqual([undefined, ["10.1.0.1", "fd00::1"]]);
});
