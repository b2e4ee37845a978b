/** What host-device and sriov have in common: a device of the node that becomes the pod's interface. */
import type { Mac } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Found } from "#lib/parse.ts";
import { absent, refuse, text } from "#lib/parse.ts";
import { type Device, isUserspaceDriver, type UserspaceDriver } from "#lib/state/device.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Attached, Built } from "./kind.ts";
import { lentAlias } from "./names.ts";
import { segmentRoutes, segmentSide } from "./segment.ts";

/** What the daemon has looked up. */
export function deviceOf({ device }: Attached): Device {
  if (device === undefined) throw new TypeError("an attachment of a device was built without it");
  return device;
}

/**
 * The device as the pod's interface, or, where a userspace driver has it or is to have it, the mere hand-over: then the
 * pod opens it by its PCI address, and addresses are told and not set.
 * `more`: facts of the node that are set before and taken back after.
 */
export function lent(attached: Attached, driver: UserspaceDriver | undefined, more: readonly Fact[]): Built {
  const device = deviceOf(attached);
  const { addresses, ifname } = attached;
  const routes = segmentRoutes(attached.routes ?? [], addresses);
  const told = {
    shared: [],
    ips: addresses,
    routes,
    hostInterfaces: [],
    ...(device.pci === undefined ? {} : { pciId: device.pci }),
  };
  if (driver !== undefined || isUserspaceDriver(device.driver))
    return { facts: [...more, ...driverFacts(device, driver)], ...told };
  return {
    facts: [...more, link(attached, device), ...rdmaFacts(device), ...segmentSide(ifname, addresses, routes)],
    ...told,
    underlay: true,
  };
}

function link(attached: Attached, { link: found, pci }: Device): Fact {
  if (found === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "deviceID" },
      `deviceID: ${pci} has no link on the node, and no userspace driver either`,
    );
  const { ifname, mtu, mac } = attached;
  return {
    type: "link",
    at: "pod",
    name: ifname,
    kind: "device",
    up: true,
    mtu,
    mac,
    alias: lentAlias(attached),
    lent: found,
  };
}

/**
 * The driver that hands it over, also where it is bound already: that it stays so is checked, and the fact says who has
 * the function. Where one of the kernel's had it, the kernel chooses again afterwards.
 */
function driverFacts({ pci, driver: before }: Device, asked: UserspaceDriver | undefined): Fact[] {
  const driver = asked ?? before;
  if (pci === undefined || driver === undefined) return [];
  return [{ type: "driver", at: "host", pci, driver, before: isUserspaceDriver(before) ? before : "" }];
}

/** They go where their link goes: the two know each other only in the same namespace. */
const rdmaFacts = ({ rdma }: Device): Fact[] => rdma.map((name) => ({ type: "rdma", at: "pod", name }));

/** `0000:3b:02.1`; upper case is taken too. @throws SelvedgeError config-invalid */
export function pciAddress(found: Found): string {
  const address = text(found).toLowerCase();
  return /^[0-9a-f]{4,}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/.test(address)
    ? address
    : refuse(found, 'a PCI address such as "0000:3b:02.1"');
}

/** An empty text says nothing, as the reference plugins have it. */
export const given = (found: Found): boolean => !absent(found) && found.value !== "";

/** The MAC of the interface when the request names none: what the device has. Undefined where that is not known. */
export const macOf = ({ link, virtual }: Device): Mac | undefined =>
  link?.mac ?? (virtual?.settings.mac === NO_MAC ? undefined : virtual?.settings.mac);

/** A virtual function to which its physical function gave no address (linux/etherdevice.h, is_zero_ether_addr). */
const NO_MAC = "00:00:00:00:00:00";
