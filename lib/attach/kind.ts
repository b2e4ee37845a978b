/**
 * What every attachment type is: `parse` and `desired`, and where it asks for something of the node, what that is. All of
 * it is pure. Verbs, locks, leases, results and clean-up are not a type's business.
 */
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { ShapedPlane } from "#lib/datapath/totals.ts";
import type { Found } from "#lib/parse.ts";
import type { Device, DeviceWish } from "#lib/state/device.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";

/** A route for the pod as a configuration or an IPAM result gives it (CNI 1.1.0 route fields). */
export interface PodRoute {
  readonly to: Prefix;
  readonly via?: Address;
  readonly mtu?: number;
  readonly advmss?: number;
  /** CNI `priority`: RTA_PRIORITY. */
  readonly metric?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface PodAddress {
  /** As the pool's subnet has it: `10.1.0.5/16`. A type may narrow it (`ptp` uses /32). */
  readonly address: Prefix;
  readonly gateway?: Address;
}

/** The link that carries an attachment's, as a configuration asks for it. */
export interface Parent {
  /** Field of the configuration, for errors. */
  readonly field: string;
  readonly at: Place;
  /** Absent: the link of the node's default route. */
  readonly name?: string;
  /** It only takes the attachment's link as a port. */
  readonly mayBeDown?: true;
}

/** A parent as it stands. */
export interface Carrier {
  readonly at: Place;
  readonly name: string;
  readonly mac: Mac;
  /** Bytes. */
  readonly mtu: number;
}

/** Everything about one attachment that is already decided when its facts are made. */
export interface Attached {
  readonly containerId: string;
  readonly ifname: string;
  /** Host's end of the pair; derived from the key by `hostLinkName`. */
  readonly hostLink: string;
  /** IFLA_IFALIAS of the host's end: `selvedge <containerId> <ifname>`. */
  readonly alias: string;
  /** Pod's MAC: asked for, or derived from the key. */
  readonly mac: Mac;
  readonly addresses: readonly PodAddress[];
  /** Absent: those of the type itself. An empty list is none. */
  readonly routes?: readonly PodRoute[];
  /** Bytes; decided by the configuration or by the path. */
  readonly mtu: number;
  /** Host ports lead to it: the node's loopback address and the pod itself must reach it through the host. */
  readonly published: boolean;
  /** For types that ask for a parent. */
  readonly carrier?: Carrier;
  /** For types that ask for a device. */
  readonly device?: Device;
}

/** What a type makes of an attachment: its facts, and what a CNI result has to say of it. */
export interface Built {
  /** What this attachment alone wants. Order is that of reading; the kernel finds its own. */
  readonly facts: readonly Fact[];
  /**
   * What it wants together with others (a bridge and its addresses): the same for every attachment of the same
   * configuration, to be removed only when none wants it any more.
   */
  readonly shared: readonly Fact[];
  /** `ips` of the CNI result, in order. */
  readonly ips: readonly { readonly address: Prefix; readonly gateway?: Address }[];
  /** `routes` of the CNI result. */
  readonly routes: readonly PodRoute[];
  /** `interfaces` of the CNI result before the pod's own: host end, bridge. */
  readonly hostInterfaces: readonly { readonly name: string; readonly mac: Mac; readonly mtu: number }[];
  /**
   * How spoofing is prevented: routed attachments are filtered in `inet`, ports of a bridge in `bridge`. Absent, as
   * `shapedLink` is, when the pod's packets leave without passing the node.
   */
  readonly guard?: "inet" | "bridge";
  /** Link on the host whose traffic to and from the pod can be shaped. */
  readonly shapedLink?: string;
  /** Where the pod is held to a total: what its shaping takes of this interface (lib/datapath/totals.ts). */
  readonly shaped?: ShapedPlane;
  /** The pod's interface in the result, where it is not the one that was asked for. */
  readonly podInterface?: { readonly name: string; readonly mac: Mac };
  /** The pod's interface is this PCI function (`pciID` of the CNI result). */
  readonly pciId?: string;
  /** Others on the same wire may hold the address: it is looked for there before it is used. */
  readonly underlay?: boolean;
  /** What the type's own field says of spoof protection, if it has one and it is given. */
  readonly spoofProtection?: boolean;
}

export interface Kind<Spec> {
  /** Reads the fields of this type from the network configuration. @throws SelvedgeError config-invalid */
  parse(config: Found): Spec;
  /** Pure: the same arguments give the same facts, byte for byte. */
  desired(spec: Spec, attached: Attached): Built;
  /** True when the attachment must not be given addresses. Absent: it always is. */
  addressless?(spec: Spec): boolean;
  /** The link that carries the attachment's own; looked up before `desired` is asked. Absent: none. */
  parent?(spec: Spec): Parent | undefined;
  /**
   * The device of the node that the attachment takes; found before `desired` is asked. `deviceId`: what a device plugin
   * gave (`runtimeConfig.deviceID`). Absent: none. @throws SelvedgeError config-invalid
   */
  device?(spec: Spec, deviceId: string | undefined): DeviceWish;
  /** The MAC that the type gives when the request names none. Absent, or undefined: one derived from the key. */
  mac?(spec: Spec, carrier: Carrier | undefined): Mac | undefined;
}
