/**
 * PCI functions in sysfs: Documentation/ABI/testing/sysfs-bus-pci (v6.12). Only what does not depend on the network
 * namespace is read here; which link belongs to a function is rtnetlink's to say.
 */
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ERRNO, refused } from "#native/libc.ts";

export interface PciFunction {
  readonly pci: string;
  readonly vendor: string;
  readonly product: string;
  readonly driver?: string;
  readonly numaNode?: number;
  readonly rdma: readonly string[];
  /** What a process opens to drive it from userspace, as its driver and its RDMA device have it: `/dev/vfio/87`. */
  readonly nodes: readonly string[];
  /** Names of the virtio devices on it, which carry its link. */
  readonly virtio: readonly string[];
  /** For a virtual function: the physical one. */
  readonly physical?: string;
  /** For a physical function: how many virtual ones it could have, and the addresses of those that it has. */
  readonly maxVirtual?: number;
  readonly virtual: readonly { readonly index: number; readonly pci: string }[];
}

/** Domain, bus, device and function: `0000:3b:02.1`. */
export const isPciAddress = (text: string): boolean => /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7]$/.test(text);

const folder = (sysfs: string, pci: string): string => join(sysfs, "bus/pci/devices", pci);

const line = async (file: string): Promise<string | undefined> =>
  (await readFile(file, "utf8").catch(() => undefined))?.trimEnd();

const target = async (link: string): Promise<string | undefined> => {
  const found = await readlink(link).catch(() => undefined);
  return found === undefined ? undefined : basename(found);
};

/** Names in a folder of a device's; none where it has no such folder. */
const below = async (at: string, name: string): Promise<string[]> =>
  (await readdir(join(at, name)).catch(() => [])).toSorted();

/** Documentation/infiniband/user_verbs.rst; connections are made by a node that all devices share. */
async function verbsNodes(at: string): Promise<string[]> {
  const names = await below(at, "infiniband_verbs");
  return names.length === 0 ? [] : ["/dev/infiniband/rdma_cm", ...names.map((name) => `/dev/infiniband/${name}`)];
}

const hexDigits = (text: string | undefined): string => text?.replace(/^0x/, "") ?? "";

/** Undefined when there is no such function. */
export async function pciFunction(sysfs: string, pci: string): Promise<PciFunction | undefined> {
  const at = folder(sysfs, pci);
  const entries = await readdir(at).catch(() => undefined);
  if (entries === undefined) return undefined;
  const [vendor, product, numa, most, driver, group, physical] = await Promise.all([
    line(join(at, "vendor")),
    line(join(at, "device")),
    line(join(at, "numa_node")),
    line(join(at, "sriov_totalvfs")),
    target(join(at, "driver")),
    target(join(at, "iommu_group")),
    target(join(at, "physfn")),
  ]);
  const virtual = await Promise.all(
    entries.flatMap((entry) => {
      const index = /^virtfn(\d+)$/.exec(entry)?.[1];
      return index === undefined
        ? []
        : [target(join(at, entry)).then((of) => ({ index: Number(index), pci: of ?? "" }))];
    }),
  );
  return {
    pci,
    vendor: hexDigits(vendor),
    product: hexDigits(product),
    ...(driver === undefined ? {} : { driver }),
    // -1: the machine has one node, or does not say.
    ...(numa === undefined || Number(numa) < 0 ? {} : { numaNode: Number(numa) }),
    rdma: await below(at, "infiniband"),
    nodes: [
      // Documentation/driver-api/vfio.rst
      ...(driver === "vfio-pci" && group !== undefined ? ["/dev/vfio/vfio", `/dev/vfio/${group}`] : []),
      ...(await below(at, "uio")).map((name) => `/dev/${name}`),
      ...(await verbsNodes(at)),
    ],
    virtio: entries.filter((entry) => /^virtio\d+$/.test(entry)),
    ...(physical === undefined ? {} : { physical }),
    ...(most === undefined ? {} : { maxVirtual: Number(most) }),
    virtual: virtual.toSorted((a, b) => a.index - b.index),
  };
}

/** Addresses of all functions; none where the machine has no PCI. */
export const pciAddresses = async (sysfs: string): Promise<string[]> =>
  (await readdir(join(sysfs, "bus/pci/devices")).catch(() => [])).toSorted();

/** Whether the function has a file of this name. */
export const canHaveVirtual = async (sysfs: string, pci: string): Promise<boolean> =>
  (await line(join(folder(sysfs, pci), "sriov_totalvfs"))) !== undefined;

/** @throws SelvedgeError kernel, with the errno of the write */
async function put(file: string, value: string): Promise<void> {
  try {
    await writeFile(file, value);
  } catch (error) {
    throw refused(`write ${JSON.stringify(value)} to ${file}`, -((error as NodeJS.ErrnoException).errno ?? 0));
  }
}

/** The kernel takes another number only from none (drivers/pci/iov.c, sriov_numvfs_store). @throws SelvedgeError kernel */
export async function setVirtualCount(sysfs: string, pci: string, count: number): Promise<void> {
  const file = join(folder(sysfs, pci), "sriov_numvfs");
  const present = Number((await line(file)) ?? 0);
  if (present === count) return;
  if (present !== 0) await put(file, "0");
  if (count !== 0) await put(file, String(count));
}

/**
 * Binds the function to a driver, which its id need not be among those of; "" is the one that knows it.
 * @throws SelvedgeError kernel, also when the driver does not take it
 */
export async function bindDriver(sysfs: string, pci: string, driver: string): Promise<void> {
  const at = folder(sysfs, pci);
  const present = await target(join(at, "driver"));
  if (present === driver) return;
  // "\n" takes an override back: an empty write would not reach the kernel.
  await put(join(at, "driver_override"), driver === "" ? "\n" : driver);
  if (present !== undefined) await put(join(at, "driver/unbind"), pci);
  await put(join(sysfs, "bus/pci/drivers_probe"), pci);
  const bound = await driverOf(sysfs, pci);
  if (driver !== "" && bound !== driver)
    throw refused(
      `bind ${pci} to ${driver}`,
      ERRNO.ENODEV,
      `${bound === undefined ? "no driver" : bound} has it: is the module loaded, and has the machine an IOMMU?`,
    );
}

/** Name of the driver that is bound. */
export const driverOf = (sysfs: string, pci: string): Promise<string | undefined> =>
  target(join(folder(sysfs, pci), "driver"));

/** Names of the links below a device's own folder, as the namespace of the mount sees them. */
export const linksBelow = async (path: string): Promise<string[]> => readdir(join(path, "net")).catch(() => []);
