/** The port to the node's devices: what can be lent to a pod, and where it is. */
import type { Device, DeviceKey } from "#lib/state/device.ts";

export interface PhysicalFunction {
  /** PCI address. */
  readonly pci: string;
  /** Absent when it has no link on the node. */
  readonly link?: string;
  /** Four hexadecimal digits each, as the vendor numbers them: "8086", "1572". */
  readonly vendor: string;
  readonly product: string;
  readonly driver?: string;
  readonly numaNode?: number;
  readonly maxVirtual: number;
  readonly virtual: readonly VirtualFunction[];
}

export interface VirtualFunction {
  readonly pci: string;
  readonly index: number;
  readonly driver?: string;
  /** As in `Device`. */
  readonly nodes: readonly string[];
  /** Its link on the node, when it is there. */
  readonly link?: string;
  /** IFLA_IFALIAS of that link. */
  readonly alias?: string;
  /** That link is a port of something, or has an address: the node itself uses it. */
  readonly isUsed: boolean;
}

export interface Devices {
  /** Undefined when the node has none. @throws SelvedgeError kernel */
  find(key: DeviceKey): Promise<Device | undefined>;
  /** Every function that can have virtual ones, with those that it has. @throws SelvedgeError kernel */
  physicalFunctions(): Promise<readonly PhysicalFunction[]>;
  /**
   * Makes it have so many virtual functions; all are new when the number changes.
   * @throws SelvedgeError kernel; conflict when there are some already, which must go first, and one of them is in use
   */
  setVirtualFunctions(pci: string, count: number): Promise<void>;
  /**
   * Path of a namespace, other than the node's, that has the function's link, or one with that alias. Cost grows with the
   * node's processes: for refusals, and for what seems to be gone.
   */
  whereIs(which: { readonly pci: string } | { readonly alias: string }): Promise<string | undefined>;
}
