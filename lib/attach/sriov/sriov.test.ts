import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import { root } from "#lib/parse.ts";
import type { Device, DeviceWish } from "#lib/state/device.ts";
import { card, ipv4Only, lines } from "../../../test/attach/sample.ts";
import { sriov } from "./sriov.ts";

const build = (config: object, device: Device = card) =>
  sriov.desired(sriov.parse(root(config)), { ...ipv4Only, device });

test("the physical function is told of the MAC and what is configured, and of nothing else", () => {
  const built = build({ vlan: 100, vlanQoS: 5, spoofchk: "off", trust: "on" });
  expect(lines(built.facts)).toEqual([
    "+ vf 3 dev ens1f0 mac 02:00:00:00:00:05 vlan 100 qos 5 vlanProtocol 802.1Q spoofCheck false trust true",
    "+ link eth0 [pod] device up from ens1f0v3 mtu 1450 mac 02:00:00:00:00:05",
    "+ addr 10.1.0.5/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
  ]);
  expect(built.facts[0]).toMatchObject({
    before: { mac: "00:00:00:00:00:00", vlan: 0, qos: 0, vlanProtocol: "802.1Q", spoofCheck: true, trust: false },
  });
  expect(build({}).facts[0]).toMatchObject({ settings: { mac: ipv4Only.mac }, before: { mac: "00:00:00:00:00:00" } });
});

test("handed over to DPDK: the driver is bound, the kernel chooses again afterwards, and no link moves", () => {
  const built = build({ driver: "vfio-pci", vlan: 7 });
  expect(lines(built.facts)).toEqual([
    "+ vf 3 dev ens1f0 mac 02:00:00:00:00:05 vlan 7 qos 0 vlanProtocol 802.1Q",
    "+ driver 0000:3b:02.3 vfio-pci",
  ]);
  expect(built.facts[1]).toMatchObject({ before: "" });
  expect(built.pciId).toBe("0000:3b:02.3");
});

test("a function that is bound to vfio-pci already stays so", () => {
  const { link: _, ...bound } = { ...card, driver: "vfio-pci" };
  expect(lines(build({}, bound).facts)).toEqual([
    "+ vf 3 dev ens1f0 mac 02:00:00:00:00:05",
    "+ driver 0000:3b:02.3 vfio-pci",
  ]);
});

const port = {
  ...card,
  virtual: {
    link: "ens1f0",
    index: 3,
    settings: {},
    representor: { link: { name: "ens1f0r3", mac: mac("02:00:00:00:00:bb"), mtu: 1500, up: false }, isPort: false },
  },
} as const satisfies Device;

test("the representor is the pod's port of a bridge, under the name and with the VLAN that the end of a pair would have", () => {
  const built = build({ representor: { bridge: "br0", vlan: 7 } }, port);
  expect(lines(built.facts)).toEqual([
    "+ vf 3 dev ens1f0 mac 02:00:00:00:00:05",
    "+ link eth0 [pod] device up from ens1f0v3 mtu 1450 mac 02:00:00:00:00:05",
    "+ link sv1 device up from ens1f0r3 mtu 1450 master br0",
    "+ vlan 7 dev sv1 pvid untagged",
    "+ addr 10.1.0.5/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
  ]);
  expect(lines(built.shared)).toEqual([
    expect.stringMatching(/^\+ link br0 bridge up .* vlan-filtering no-ipv6-link-local$/),
  ]);
  expect(built).toMatchObject({
    guard: "bridge",
    shapedLink: "sv1",
    underlay: true,
    pciId: "0000:3b:02.3",
    hostInterfaces: [{ name: "br0" }, { name: "sv1", mac: "02:00:00:00:00:bb", mtu: 1450 }],
  });
  expect(built.facts[2]).toMatchObject({
    alias: "selvedge-lent representor c1 eth0",
    lent: port.virtual.representor.link,
  });
});

test("the node may be the gateway of the representor's bridge", () => {
  const built = build({ representor: { bridge: "br0", isDefaultGateway: true } }, port);
  expect(lines(built.facts)).toContain("+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]");
  expect(lines(built.shared)).toContain("+ addr 10.1.0.1/16 dev br0");
  expect(built.underlay).toBe(false);
});

test("a function that DPDK drives has its representor on the node all the same", () => {
  const built = build({ driver: "vfio-pci", representor: { bridge: "br0" } }, port);
  expect(lines(built.facts)).toEqual([
    "+ vf 3 dev ens1f0 mac 02:00:00:00:00:05",
    "+ driver 0000:3b:02.3 vfio-pci",
    "+ link sv1 device up from ens1f0r3 mtu 1450 master br0",
  ]);
});

const unrepresented: [why: string, device: Device, message: string][] = [
  ["no switch", card, "representor: virtual function 3 of ens1f0 has none"],
  [
    "in use",
    { ...port, virtual: { ...port.virtual, representor: { ...port.virtual.representor, isPort: true } } },
    "representor: ens1f0r3, that of virtual function 3 of ens1f0, is a port of something already",
  ],
];
test.each(unrepresented)("a representor is refused: %s", (_why, device, message) =>
  expect(() => build({ representor: { bridge: "br0" } }, device)).toThrow(message),
);

const wishes: [config: object, deviceId: string | undefined, wish: DeviceWish["which"]][] = [
  [{ deviceID: "0000:3b:02.3" }, undefined, { pci: "0000:3b:02.3" }],
  [{ pf: "ens1f0" }, undefined, { physical: "ens1f0" }],
  [{ pf: "ens1f0", vf: 3 }, undefined, { physical: "ens1f0", index: 3 }],
  [{ devicePool: "fast" }, undefined, { pool: "fast" }],
  [{ devicePool: "fast" }, "0000:3b:02.1", { pci: "0000:3b:02.1" }],
];
test.each(wishes)("%j with deviceID %s", (config, deviceId, which) =>
  expect(sriov.device?.(sriov.parse(root(config)), deviceId)).toMatchObject({ which, virtual: true }),
);

const refused: [config: object, message: string][] = [
  [{}, "deviceID: is missing; it must be given, or one of pf, devicePool"],
  [{ pf: "ens1f0", deviceID: "0000:3b:02.3" }, 'pf: "ens1f0" is not possible together with deviceID'],
  [{ vf: 1, deviceID: "0000:3b:02.3" }, "vf: 1 is not possible without pf"],
  [{ pf: "ens1f0", vlan: 4_095 }, "vlan: 4095 is not a whole number from 0 to 4094"],
  [{ pf: "ens1f0", vlanQoS: 3 }, "vlanQoS: 3 is not possible without a vlan"],
  [{ pf: "ens1f0", vlanProto: "802.1ad" }, 'vlanProto: "802.1ad" is not possible without a vlan'],
  [{ pf: "ens1f0", vlan: 3, vlanProto: "qinq" }, 'vlanProto: "qinq" is not one of "802.1Q", "802.1ad"'],
  [{ pf: "ens1f0", trust: true }, 'trust: true is not one of "on", "off"'],
  [{ pf: "ens1f0", link_state: "up" }, 'link_state: "up" is not one of "auto", "enable", "disable"'],
  [{ pf: "ens1f0", min_tx_rate: 20, max_tx_rate: 10 }, "min_tx_rate: 20 is not at most max_tx_rate (10)"],
  [
    { pf: "ens1f0", representor: { disableContainerInterface: true } },
    "representor.disableContainerInterface: true is not possible here",
  ],
  [{ pf: "ens1f0", representor: { vlan: 4_095 } }, "representor.vlan: 4095 is not a whole number from 0 to 4094"],
  [{ pf: "ens1f0", representor: "br0" }, 'representor: "br0" is not an object'],
  [{ pf: "ens1f0", driver: "e1000" }, 'driver: "e1000" is not one of "vfio-pci", "uio_pci_generic", "igb_uio"'],
];
test.each(refused)("%j is refused", (config, message) =>
  expect(() => sriov.device?.(sriov.parse(root(config)), undefined)).toThrow(message),
);

test("the tables have cases", () => expect(Math.min(wishes.length, refused.length)).toBeGreaterThan(4));
