/** Devices of the node that may be lent to a pod, as they are found before anything is decided about them. */
import type { Mac } from "#lib/address.ts";
import type { LentDevice, VirtualFunctionSettings } from "./device-fact.ts";

/** How one device is named. A path is the kernel's: `/sys/devices/pci0000:00/0000:00:1f.6`. */
export type DeviceKey =
  | { readonly name: string }
  | { readonly mac: Mac }
  | { readonly path: string }
  | { readonly pci: string };

/** The device that an attachment asks for. */
export interface DeviceWish {
  /** Field of the configuration, for errors. */
  readonly field: string;
  /** One device, a virtual function of a physical one (any that is free, or the one with that index), or one of a pool. */
  readonly which: DeviceKey | { readonly physical: string; readonly index?: number } | { readonly pool: string };
  /** It must be a virtual function. */
  readonly virtual: boolean;
  /** A userspace driver that it is to be handed over with. */
  readonly driver?: UserspaceDriver;
}

export interface Device {
  /** Its link on the node. Absent when a userspace driver has it, or a namespace that is not the node's. */
  readonly link?: LentDevice;
  /** PCI address, `0000:3b:02.1`. Absent for what is no PCI function: a veth, a dummy. */
  readonly pci?: string;
  /** Kernel driver that is bound to the function. */
  readonly driver?: string;
  /** RDMA devices of the function: `mlx5_2`. */
  readonly rdma: readonly string[];
  /** What a process opens to drive it from userspace: `/dev/vfio/87`, `/dev/uio0`, `/dev/infiniband/uverbs2`. */
  readonly nodes: readonly string[];
  /** For a virtual function: whose it is. */
  readonly virtual?: {
    /** Link of the physical function. */
    readonly link: string;
    readonly index: number;
    readonly settings: VirtualFunctionSettings;
    /** Where its card is a switch that the node sees the ports of. */
    readonly representor?: Representor;
  };
}

/** The switch's end of a virtual function, a link of the node (Documentation/networking/representors.rst). */
export interface Representor {
  readonly link: LentDevice;
  /** It is a port of something already. */
  readonly isPort: boolean;
}

/** Drivers that give a function to a process instead of the kernel's network (DPDK's documentation, "Linux Drivers"). */
export const USERSPACE_DRIVERS = ["vfio-pci", "uio_pci_generic", "igb_uio"] as const;

export type UserspaceDriver = (typeof USERSPACE_DRIVERS)[number];

export const isUserspaceDriver = (driver: string | undefined): driver is UserspaceDriver =>
  USERSPACE_DRIVERS.some((each) => each === driver);

/**
 * What the alias of a lent device begins with. No link that Selvedge makes has such a one: those are deleted when nobody
 * wants them any more, and a device must only ever be given back.
 */
export const LENT_ALIAS_PREFIX = "selvedge-lent ";

export const isLentAlias = (alias: string | undefined): boolean => alias?.startsWith(LENT_ALIAS_PREFIX) ?? false;
