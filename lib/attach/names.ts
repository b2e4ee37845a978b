/** Names and MAC addresses that follow from the key of an attachment, so that nothing has to be looked up or stored. */
import { createHash } from "node:crypto";
import { type Address, type Family, fromBytes, type Mac, macFromBytes } from "#lib/address.ts";
import { LENT_ALIAS_PREFIX } from "#lib/state/device.ts";

/** Container id and interface name, CNI's own key of an attachment. */
export interface Key {
  readonly containerId: string;
  readonly ifname: string;
}

/** An id or an interface name never holds a NUL, so that two keys cannot run into one. */
const digest = (...parts: readonly string[]): Buffer => createHash("sha256").update(parts.join("\0")).digest();

/** 44 bits of the key: among 1,000 attachments of a node a collision has a chance below 1 in 10 million. */
const tag = (key: Key): string => digest(key.containerId, key.ifname).toString("hex", 0, 6).slice(0, 11);

/** Host's end of the pair, 13 bytes. */
export const hostLinkName = (key: Key): string => `sv${tag(key)}`;

/** The ifb through which the pod's egress is shaped, 13 bytes. */
export const ifbName = (key: Key): string => `sb${tag(key)}`;

/** The ifbs on which all interfaces of an attachment meet, into the pod and out of it, 13 bytes. */
export const totalNames = (key: Key): { readonly into: string; readonly outOf: string } => ({
  into: `si${tag(key)}`,
  outOf: `se${tag(key)}`,
});

/** linux/if.h: IFALIASZ is 256, the closing zero included. */
const ALIAS_BYTES = 255;

/** Whose link this is; every link that Selvedge makes on the host carries one. */
export const linkAlias = (key: Key): string =>
  Buffer.from(`selvedge ${key.containerId} ${key.ifname}`).subarray(0, ALIAS_BYTES).toString();

/** Whose a device of the node is while it is lent. */
export const lentAlias = (key: Key): string =>
  Buffer.from(`${LENT_ALIAS_PREFIX}${key.containerId} ${key.ifname}`).subarray(0, ALIAS_BYTES).toString();

/** Whose the switch's end of a virtual function is; the function itself carries the alias above. */
export const representorAlias = (key: Key): string =>
  Buffer.from(`${LENT_ALIAS_PREFIX}representor ${key.containerId} ${key.ifname}`).subarray(0, ALIAS_BYTES).toString();

export const bridgeAlias = (bridge: string): string => `selvedge bridge ${bridge}`;

/** The first byte marks a locally administered unicast address (IEEE 802, section 8.4); the others come from the digest. */
const localMac = (first: number, from: Buffer, offset: number): Mac =>
  macFromBytes(Uint8Array.of(first, ...from.subarray(offset, offset + 5)));

/** The pod's MAC when nobody asked for one: `02:…`. */
export const podMac = (key: Key): Mac => localMac(0x02, digest(key.containerId, key.ifname), 8);

/** The same on a segment that stretches over nodes: it follows from the address, so that neighbours who know it are right wherever it is: `0e:…`. */
export const stationMac = (network: string, address: Address): Mac =>
  localMac(0x0e, digest("station", network, address), 8);

/** MAC of the host's end where it must differ from port to port: `06:…`. */
export const portMac = (key: Key): Mac => localMac(0x06, digest(key.containerId, key.ifname), 16);

/** A bridge left alone takes the lowest MAC of its ports and changes it as they come and go; ours keeps this: `0a:…`. */
export const bridgeMac = (bridge: string): Mac => localMac(0x0a, digest("bridge", bridge), 8);

/** 44 bits of what links on the node are named for that several attachments use. */
const commonTag = (...parts: readonly string[]): string =>
  digest(...parts)
    .toString("hex", 0, 6)
    .slice(0, 11);

/** The node's own link beside those of the pods on `parent`, 13 bytes. */
export const shimName = (kind: "macvlan" | "ipvlan", parent: string): string => `sm${commonTag("shim", kind, parent)}`;

export const shimAlias = (parent: string): string => `selvedge shim ${parent}`;

/** Other nodes have a parent of the same name on the same wire, so the parent's MAC is part of it: `0e:…`. */
export const shimMac = (parent: string, parentMac: Mac): Mac => localMac(0x0e, digest("shim", parent, parentMac), 8);

/**
 * The node's address towards the pods on `parent`, on the node only: a link-local one (RFC 3927), out of 16,384 that
 * neither ptp's gateway nor the metadata services of clouds (169.254.169.254) lie among.
 */
export function shimAddress(kind: "macvlan" | "ipvlan", parent: string, parentMac: Mac): Record<Family, Address> {
  const bytes = digest("shim address", kind, parent, parentMac);
  return {
    4: fromBytes(Uint8Array.of(169, 254, 64 + ((bytes[0] ?? 0) % 64), bytes[1] ?? 0)),
    6: fromBytes(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...bytes.subarray(2, 10))),
  };
}

/** The tunnel that carries copies of packets to one analyser, 13 bytes. */
export const mirrorTunnelName = (to: string): string => `st${commonTag("mirror", to)}`;

export const isMirrorTunnel = (name: string): boolean => /^st[0-9a-f]{11}$/.test(name);

/** RTA_PRIORITY of a pod's route to the shim: two of its interfaces may hang on one parent, and each has its own. */
export const shimMetric = (ifname: string): number => 1_024 + digest("shim metric", ifname).readUInt16BE(0);

/** The node's link that carries all inner VLANs of one outer VLAN, 13 bytes. */
export const outerVlanName = (parent: string, id: number): string => `so${commonTag("outer", parent, String(id))}`;

export const outerVlanAlias = (parent: string, id: number): string => `selvedge vlan ${parent} ${id}`;

/** The port by which the node's gateway of one VLAN is plugged into a bridge, 13 bytes. */
export const gatewayPortName = (bridge: string, vlan: number): string =>
  `sg${commonTag("gateway", bridge, String(vlan))}`;

export const gatewayAlias = (bridge: string, vlan: number): string => `selvedge bridge ${bridge} ${vlan}`;

/** Shims and outer VLANs. */
export const isIdler = (name: string): boolean => /^s[mo][0-9a-f]{11}$/.test(name);

/** Links with one of the names above: many attachments share them, and none is theirs alone. */
export const isCarrierOfMany = (name: string): boolean => isIdler(name) || /^sg[0-9a-f]{11}$/.test(name);
