import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import { root } from "#lib/parse.ts";
import type { Device, DeviceWish } from "#lib/state/device.ts";
import { ipv4Only, lines } from "../../../test/attach/sample.ts";
import { hostDevice } from "./host-device.ts";

const card: Device = {
  link: { name: "ens1", mac: mac("02:00:00:00:00:aa"), mtu: 9_000, up: true, physical: true, pci: "0000:3b:00.0" },
  pci: "0000:3b:00.0",
  driver: "i40e",
  rdma: [],
  nodes: [],
};
const build = (device: Device) =>
  hostDevice.desired(hostDevice.parse(root({ device: "ens1" })), { ...ipv4Only, device });

test("the device is the pod's interface, with its addresses", () => {
  const built = build(card);
  expect(lines(built.facts)).toEqual([
    "+ link eth0 [pod] device up from ens1 mtu 1450 mac 02:00:00:00:00:05",
    "+ addr 10.1.0.5/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
  ]);
  expect(built.facts[0]).toMatchObject({ alias: "selvedge-lent c1 eth0", lent: card.link });
  expect(built).toMatchObject({ pciId: "0000:3b:00.0", underlay: true, shared: [], hostInterfaces: [] });
});

test("its RDMA devices go where its link goes", () => {
  const built = build({ ...card, rdma: ["irdma0", "irdma1"] });
  expect(built.facts.filter(({ type }) => type === "rdma")).toEqual([
    { type: "rdma", at: "pod", name: "irdma0" },
    { type: "rdma", at: "pod", name: "irdma1" },
  ]);
  expect(build({ pci: "0000:3b:00.0", driver: "vfio-pci", rdma: ["irdma0"], nodes: [] }).facts).toHaveLength(1);
});

test("what a userspace driver has is handed over as it is: told, and nothing set", () => {
  const built = build({ pci: "0000:3b:00.0", driver: "vfio-pci", rdma: [], nodes: [] });
  expect(built.facts).toEqual([
    { type: "driver", at: "host", pci: "0000:3b:00.0", driver: "vfio-pci", before: "vfio-pci" },
  ]);
  expect(built).toMatchObject({ pciId: "0000:3b:00.0", ips: ipv4Only.addresses });
});

const wishes: [config: object, deviceId: string | undefined, wish: DeviceWish["which"]][] = [
  [{ device: "ens1" }, undefined, { name: "ens1" }],
  [{ hwaddr: "02:00:00:00:00:AA" }, undefined, { mac: mac("02:00:00:00:00:aa") }],
  [
    { kernelpath: "/sys/devices/pci0000:00/0000:00:1f.6/" },
    undefined,
    { path: "/sys/devices/pci0000:00/0000:00:1f.6" },
  ],
  [{ pciBusID: "0000:3B:02.1" }, undefined, { pci: "0000:3b:02.1" }],
  [{ device: "ens1" }, "0000:3b:02.1", { pci: "0000:3b:02.1" }],
  [{ device: "", hwaddr: "" }, "0000:3b:02.1", { pci: "0000:3b:02.1" }],
];
test.each(wishes)("%j with deviceID %s", (config, deviceId, which) =>
  expect(hostDevice.device?.(hostDevice.parse(root(config)), deviceId).which).toEqual(which),
);

const refused: [config: object, deviceId: string | undefined, message: string][] = [
  [{}, undefined, "device: is missing; it must be given, or one of hwaddr, kernelpath, pciBusID"],
  [{ device: "ens1", hwaddr: "02:00:00:00:00:aa" }, undefined, "is not possible together with device"],
  [{ device: "a/b" }, undefined, 'device: "a/b" is not a link name'],
  [{ kernelpath: "/sys/devices/../class" }, undefined, "is not a path below /sys/devices"],
  [{ pciBusID: "3b:02.1" }, undefined, 'pciBusID: "3b:02.1" is not a PCI address such as "0000:3b:02.1"'],
  [{}, "ens1", 'runtimeConfig.deviceID: "ens1" is not a PCI address'],
];
test.each(refused)("%j with deviceID %s is refused", (config, deviceId, message) =>
  expect(() => hostDevice.device?.(hostDevice.parse(root(config)), deviceId)).toThrow(message),
);

test("the tables have cases", () => expect(Math.min(wishes.length, refused.length)).toBeGreaterThan(5));
