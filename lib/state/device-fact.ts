/** Facts of devices that were there before us: lent links, virtual functions, drivers, RDMA. */
import type { Mac } from "#lib/address.ts";
import type { VlanProtocol } from "./vlan-protocol.ts";

/** A device as it stood on the host before it was lent to a pod. */
export interface LentDevice {
  readonly name: string;
  readonly mac?: Mac;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
  readonly alias?: string;
  /** Hardware: the kernel brings it home when its namespace ends. A virtual link dies with its namespace. */
  readonly physical?: boolean;
  /** PCI address, `0000:3b:02.1`: finds it again when the kernel brought it back under another name. */
  readonly pci?: string;
}

/** What a physical function holds for one of its virtual functions (linux/if_link.h, IFLA_VFINFO_LIST). */
export interface VirtualFunctionFact {
  readonly type: "vf";
  readonly at: "host";
  /** The physical function's link. */
  readonly link: string;
  readonly vf: number;
  readonly settings: VirtualFunctionSettings;
  /** What it goes back to when the fact is removed. Never compared. */
  readonly before?: VirtualFunctionSettings;
}

export interface VirtualFunctionSettings {
  readonly mac?: Mac;
  /** 0: none. */
  readonly vlan?: number;
  /** 802.1p priority, 0 to 7. */
  readonly qos?: number;
  readonly vlanProtocol?: VlanProtocol;
  readonly spoofCheck?: boolean;
  readonly trust?: boolean;
  /** Mbit/s; 0: none. */
  readonly minTxRate?: number;
  readonly maxTxRate?: number;
  readonly linkState?: "auto" | "enable" | "disable";
}

/** The driver that a PCI function is bound to. */
export interface DriverFact {
  readonly type: "driver";
  readonly at: "host";
  /** PCI address, `0000:3b:02.1`. */
  readonly pci: string;
  readonly driver: string;
  /** What it goes back to when the fact is removed: "" lets the kernel choose. Never compared. */
  readonly before?: string;
}

/**
 * An RDMA device of the node that the pod sees. It is moved there where each belongs to one namespace (`rdma system`:
 * netns exclusive); where all see all of them nothing has to be done.
 */
export interface RdmaFact {
  readonly type: "rdma";
  readonly at: "pod";
  /** The kernel has every name once, whatever the namespace: `mlx5_2`. */
  readonly name: string;
}
