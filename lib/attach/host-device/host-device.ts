/** `host-device`: a device of the node becomes the pod's interface, and the node's again when the pod goes. */
import { mac } from "#lib/address.ts";
import { type Found, fields, linkName, refuse, text } from "#lib/parse.ts";
import type { DeviceKey, DeviceWish } from "#lib/state/device.ts";
import { given, lent, pciAddress } from "../device.ts";
import type { Kind } from "../kind.ts";
import { withoutIpam } from "../parent.ts";

export interface HostDeviceSpec {
  /** Absent: what the runtime says. */
  readonly wish?: DeviceWish;
  readonly addressless: boolean;
}

/** Named as the reference plugin names them. */
const NAMES = ["device", "hwaddr", "kernelpath", "pciBusID"] as const;

export const hostDevice: Kind<HostDeviceSpec> = {
  parse(config) {
    const at = fields(config);
    const named = NAMES.filter((name) => given(at(name)));
    if (named.length > 1) refuse(at(named[1] ?? ""), `possible together with ${named[0]}: name the device one way`);
    const name = named[0];
    return {
      addressless: withoutIpam(config),
      ...(name === undefined ? {} : { wish: { field: name, which: keyOf(name, at(name)), virtual: false } }),
    };
  },
  device({ wish }, deviceId) {
    if (deviceId !== undefined) {
      const field = "runtimeConfig.deviceID";
      return { field, which: { pci: pciAddress({ path: field, value: deviceId }) }, virtual: false };
    }
    return wish ?? refuse({ path: "device", value: undefined }, `given, or one of ${NAMES.slice(1).join(", ")}`);
  },
  addressless: (spec) => spec.addressless,
  desired: (_spec, attached) => lent(attached, undefined, []),
};

function keyOf(name: (typeof NAMES)[number], found: Found): DeviceKey {
  switch (name) {
    case "device":
      return { name: linkName(found) };
    case "hwaddr":
      return { mac: mac(found.value, found.path) };
    case "kernelpath": {
      const path = text(found);
      const inside = /^\/sys\/devices\/[^\0]+$/.test(path) && !path.split("/").includes("..");
      return { path: inside ? path.replace(/\/+$/, "") : refuse(found, "a path below /sys/devices") };
    }
    case "pciBusID":
      return { pci: pciAddress(found) };
  }
}
