/** `sriov`: a virtual function of a network card, with what its physical function allows it. */
import { type Found, fields, integer, linkName, oneOf, optional, refuse, text } from "#lib/parse.ts";
import { type DeviceWish, USERSPACE_DRIVERS, type UserspaceDriver } from "#lib/state/device.ts";
import type { VirtualFunctionFact, VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import type { VlanProtocol } from "#lib/state/vlan-protocol.ts";
import type { BridgeSpec } from "../bridge/spec.ts";
import { deviceOf, given, lent, pciAddress } from "../device.ts";
import type { Attached, Kind } from "../kind.ts";
import { withoutIpam } from "../parent.ts";
import { onBridge, parseRepresentor } from "./representor.ts";

export interface SriovSpec {
  /** Absent: what the runtime says. */
  readonly wish?: DeviceWish;
  /** Without the MAC, which is the attachment's. */
  readonly settings: VirtualFunctionSettings;
  /** Userspace driver that it is handed over with. */
  readonly driver?: UserspaceDriver;
  /** Where its end on the node is plugged in. Absent: nowhere. */
  readonly representor?: BridgeSpec;
  readonly addressless: boolean;
}

export const sriov: Kind<SriovSpec> = {
  parse(config) {
    const wish = wishOf(config);
    const driver = optional(fields(config)("driver"), (found) => oneOf(found, USERSPACE_DRIVERS));
    const representor = optional(fields(config)("representor"), parseRepresentor);
    return {
      ...(representor === undefined ? {} : { representor }),
      settings: settingsOf(config),
      addressless: withoutIpam(config),
      ...(wish === undefined ? {} : { wish }),
      ...(driver === undefined ? {} : { driver }),
    };
  },
  device({ wish, driver }, deviceId) {
    const asked = deviceId === undefined ? wish : byAddress({ path: "runtimeConfig.deviceID", value: deviceId });
    if (asked === undefined) refuse({ path: "deviceID", value: undefined }, "given, or one of pf, devicePool");
    return driver === undefined ? asked : { ...asked, driver };
  },
  addressless: (spec) => spec.addressless,
  desired(spec, attached) {
    const own = lent(attached, spec.driver, functionFacts(spec, attached));
    return spec.representor === undefined ? own : onBridge(spec.representor, attached, own);
  },
};

/** Only what is named is set; the address always is, so that the pod cannot take another. */
function functionFacts({ settings: named }: SriovSpec, attached: Attached): VirtualFunctionFact[] {
  const { virtual } = deviceOf(attached);
  if (virtual === undefined) return [];
  const settings: VirtualFunctionSettings = { mac: attached.mac, ...named };
  const before = Object.fromEntries(Object.entries(virtual.settings).filter(([name]) => Object.hasOwn(settings, name)));
  return [{ type: "vf", at: "host", link: virtual.link, vf: virtual.index, settings, before }];
}

const byAddress = (found: Found): DeviceWish => ({
  field: found.path,
  which: { pci: pciAddress(found) },
  virtual: true,
});

/** `deviceID`, as a meta-plugin fills it in; or `pf` with an optional `vf`; or `devicePool`. */
function wishOf(config: Found): DeviceWish | undefined {
  const at = fields(config);
  const ways = ["deviceID", "pf", "devicePool"].filter((name) => given(at(name)));
  if (ways.length > 1) refuse(at(ways[1] ?? ""), `possible together with ${ways[0]}: name the function one way`);
  const index = optional(at("vf"), (found) => integer(found, { min: 0, max: 65_535 }));
  if (index !== undefined && ways[0] !== "pf")
    refuse(at("vf"), "possible without pf, whose virtual function it numbers");
  switch (ways[0]) {
    case "deviceID":
      return byAddress(at("deviceID"));
    case "pf": {
      const which = { physical: linkName(at("pf")), ...(index === undefined ? {} : { index }) };
      return { field: index === undefined ? "pf" : "vf", which, virtual: true };
    }
    case "devicePool":
      return { field: "devicePool", which: { pool: text(at("devicePool")) }, virtual: true };
    default:
      return undefined;
  }
}

const LINK_STATES = ["auto", "enable", "disable"] as const;
const SWITCH = ["on", "off"] as const;
/** Mbit/s; the kernel has 32 bits for it. */
const rate = (found: Found): number => integer(found, { min: 0, max: 0xffffffff });
const protocol = (found: Found): VlanProtocol =>
  found.value === "802.1q" ? "802.1Q" : oneOf(found, ["802.1Q", "802.1ad"]);

/** The settings as the SR-IOV plugin of the network plumbing group names them. @throws SelvedgeError config-invalid */
function settingsOf(config: Found): VirtualFunctionSettings {
  const at = fields(config);
  const vlan = optional(at("vlan"), (found) => integer(found, { min: 0, max: 4_094 }));
  const qos = optional(at("vlanQoS"), (found) => integer(found, { min: 0, max: 7 }));
  const vlanProtocol = optional(at("vlanProto"), protocol);
  if (vlan === undefined || vlan === 0) {
    if (qos !== undefined && qos !== 0) refuse(at("vlanQoS"), "possible without a vlan, whose priority it is");
    if (vlanProtocol === "802.1ad") refuse(at("vlanProto"), "possible without a vlan, whose tag it is");
  }
  const minTxRate = optional(at("min_tx_rate"), rate);
  const maxTxRate = optional(at("max_tx_rate"), rate);
  if (minTxRate !== undefined && maxTxRate !== undefined && maxTxRate !== 0 && minTxRate > maxTxRate)
    refuse(at("min_tx_rate"), `at most max_tx_rate (${maxTxRate})`);
  const isOn = (found: Found): boolean => oneOf(found, SWITCH) === "on";
  const spoofCheck = optional(at("spoofchk"), isOn);
  const trust = optional(at("trust"), isOn);
  const linkState = optional(at("link_state"), (found) => oneOf(found, LINK_STATES));
  return {
    ...(vlan === undefined ? {} : { vlan, qos: qos ?? 0, vlanProtocol: vlanProtocol ?? "802.1Q" }),
    ...(spoofCheck === undefined ? {} : { spoofCheck }),
    ...(trust === undefined ? {} : { trust }),
    ...(minTxRate === undefined ? {} : { minTxRate }),
    ...(maxTxRate === undefined ? {} : { maxTxRate }),
    ...(linkState === undefined ? {} : { linkState }),
  };
}
