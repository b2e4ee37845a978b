/** The node's devices: links from rtnetlink, functions from sysfs. */
import { fstatSync } from "node:fs";
import { basename, join } from "node:path";
import { SelvedgeError } from "#lib/errors.ts";
import { type Device, type DeviceKey, isLentAlias } from "#lib/state/device.ts";
import type { LentDevice } from "#lib/state/device-fact.ts";
import type { Devices, PhysicalFunction, VirtualFunction } from "../devices.ts";
import { dumpAddresses, readAddress } from "../rtnl/address.ts";
import { dumpDevices, readDevice, type SeenDevice } from "../rtnl/device.ts";
import {
  canHaveVirtual,
  isPciAddress,
  linksBelow,
  type PciFunction,
  pciAddresses,
  pciFunction,
  setVirtualCount,
} from "../sysfs/pci.ts";
import { functionsOf } from "./functions.ts";
import { namespacePaths } from "./namespaces.ts";
import { namespaceOf, type Place, podPlace } from "./place.ts";
import { isRepresentor, representorOf } from "./representors.ts";

/** `sysfs`: where it is mounted. */
export function devices(host: Place, sysfs: string): Devices {
  const links = (): SeenDevice[] => host.dump(dumpDevices).map(readDevice);

  const physicalFunction = async (pci: string, all: readonly SeenDevice[]): Promise<PhysicalFunction | undefined> => {
    const found = await pciFunction(sysfs, pci);
    if (found?.maxVirtual === undefined) return undefined;
    const addressed = withAddresses(host);
    const virtual = await Promise.all(
      found.virtual.map(async (one): Promise<VirtualFunction> => {
        const of = await pciFunction(sysfs, one.pci);
        const link = all.find(isOn(of));
        return {
          ...one,
          ...(of?.driver === undefined ? {} : { driver: of.driver }),
          nodes: of?.nodes ?? [],
          ...(link === undefined ? {} : { link: link.name }),
          ...(link?.alias === undefined ? {} : { alias: link.alias }),
          isUsed: link !== undefined && (link.master !== undefined || addressed.has(link.index)),
        };
      }),
    );
    const { vendor, product, driver, numaNode, maxVirtual } = found;
    const link = all.find(isOn(found))?.name;
    return {
      pci,
      vendor,
      product,
      maxVirtual,
      virtual,
      ...(link === undefined ? {} : { link }),
      ...(driver === undefined ? {} : { driver }),
      ...(numaNode === undefined ? {} : { numaNode }),
    };
  };

  return {
    async find(key) {
      const all = links();
      const pci =
        "pci" in key ? key.pci : "path" in key && isPciAddress(basename(key.path)) ? basename(key.path) : undefined;
      const of = pci === undefined ? undefined : await pciFunction(sysfs, pci);
      if (pci !== undefined && of === undefined) return undefined;
      const link = of === undefined ? await linkOf(key, all, sysfs) : all.find(isOn(of));
      const behind = of ?? (await functionBehind(link, sysfs));
      if (link === undefined && behind === undefined) return undefined;
      return describe(link, behind, await virtualOf(host, behind, all, sysfs));
    },

    async physicalFunctions() {
      const all = links();
      const found: PhysicalFunction[] = [];
      for (const pci of await pciAddresses(sysfs)) {
        const one = (await canHaveVirtual(sysfs, pci)) ? await physicalFunction(pci, all) : undefined;
        if (one !== undefined) found.push(one);
      }
      return found;
    },

    async setVirtualFunctions(pci, count) {
      const present = await physicalFunction(pci, links());
      const used = present?.virtual.length === count ? undefined : present?.virtual.find(isTaken);
      if (used !== undefined)
        throw new SelvedgeError(
          { kind: "conflict", what: used.pci },
          `${pci}: it has ${present?.virtual.length} virtual functions, and ${used.pci} is in use: there cannot be ${count}`,
          {
            hint: "The number changes only when none is in use: drain the node, or configure the number that is there.",
          },
        );
      await setVirtualCount(sysfs, pci, count);
    },

    async whereIs(which) {
      const isIt =
        "pci" in which
          ? isOn(await pciFunction(sysfs, which.pci))
          : ({ alias }: SeenDevice): boolean => alias === which.alias;
      for (const path of await namespacePaths([fstatSync(namespaceOf(host)).ino])) {
        using place = podPlace({ netns: path }, () => false);
        if (place?.dump(dumpDevices).map(readDevice).some(isIt) === true) return path;
      }
      return undefined;
    },
  };
}

/** In use by the node, lent, or gone from the node under a driver of the kernel's. */
const isTaken = ({ isUsed, alias, link, driver }: VirtualFunction): boolean =>
  isUsed || isLentAlias(alias) || (link === undefined && driver !== undefined);

/** Whether a link is the function's: its own, or that of the virtio device on it. */
const isOn =
  (of: PciFunction | undefined) =>
  (device: SeenDevice): boolean =>
    of !== undefined &&
    // Representors stand on the physical function as well, and are not its link.
    !isRepresentor(device) &&
    (device.pci === of.pci || (device.parent !== undefined && of.virtio.includes(device.parent)));

async function linkOf(key: DeviceKey, all: readonly SeenDevice[], sysfs: string): Promise<SeenDevice | undefined> {
  if ("name" in key) return all.find(({ name }) => name === key.name);
  if ("mac" in key) return all.find(({ mac }) => mac === key.mac);
  if ("pci" in key) return undefined;
  const names = await linksBelow(join(sysfs, key.path.replace(/^\/sys\//, "")));
  return all.find(({ name }) => names.includes(name));
}

/** Links on the node that have an address which somebody gave them. */
const withAddresses = (host: Place): ReadonlySet<number> =>
  new Set(
    host.dump(dumpAddresses(0, 0)).flatMap((message) => {
      const seen = readAddress(message);
      return seen === undefined || seen.address.startsWith("fe80:") ? [] : [seen.index];
    }),
  );

async function functionBehind(link: SeenDevice | undefined, sysfs: string): Promise<PciFunction | undefined> {
  if (link?.pci !== undefined) return pciFunction(sysfs, link.pci);
  if (link?.parent?.startsWith("virtio") !== true) return undefined;
  for (const pci of await pciAddresses(sysfs)) {
    const of = await pciFunction(sysfs, pci);
    if (of?.virtio.includes(link.parent) === true) return of;
  }
  return undefined;
}

async function virtualOf(
  host: Place,
  of: PciFunction | undefined,
  all: readonly SeenDevice[],
  sysfs: string,
): Promise<Device["virtual"]> {
  if (of?.physical === undefined) return undefined;
  const physical = await pciFunction(sysfs, of.physical);
  const index = physical?.virtual.find(({ pci }) => pci === of.pci)?.index;
  const link = all.find(isOn(physical));
  if (index === undefined || link === undefined) return undefined;
  const settings = (await functionsOf(host, link.name))?.functions.get(index) ?? {};
  const representor = representorOf(all, link, index);
  const common = { link: link.name, index, settings };
  if (representor === undefined) return common;
  const { pci: _, ...lent } = lentOf(representor);
  return { ...common, representor: { link: lent, isPort: representor.master !== undefined } };
}

function describe(link: SeenDevice | undefined, of: PciFunction | undefined, virtual: Device["virtual"]): Device {
  return {
    ...(link === undefined ? {} : { link: lentOf(link) }),
    ...(of === undefined ? {} : { pci: of.pci }),
    ...(of?.driver === undefined ? {} : { driver: of.driver }),
    rdma: of?.rdma ?? [],
    nodes: of?.nodes ?? [],
    ...(virtual === undefined ? {} : { virtual }),
  };
}

const lentOf = ({ name, mac, mtu, up, alias, kind, pci }: SeenDevice): LentDevice => ({
  name,
  ...(mac === undefined ? {} : { mac }),
  mtu,
  up,
  ...(alias === undefined ? {} : { alias }),
  ...(kind === undefined ? { physical: true } : {}),
  ...(pci === undefined ? {} : { pci }),
});
