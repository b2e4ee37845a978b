/** VLANs of bridge ports, what is behind them, and forwarding entries of the fake. */
import { type Address, family } from "#lib/address.ts";
import { EVERYONE_ELSE, type ForwardFact, type PortMacFact, type PortVlanFact } from "#lib/state/fact.ts";
import { deviceOf, type Network } from "./device.ts";
import { refusal } from "./refusal.ts";

/** @throws SelvedgeError kernel ENODEV, EOPNOTSUPP (neither a bridge nor a port of one), EINVAL */
export function ensurePortVlan(network: Network, { link, vid, pvid, untagged }: PortVlanFact): void {
  const call = `vlan add ${vid} dev ${link}`;
  const device = deviceOf(network, link, call);
  if (device.kind !== "bridge" && device.master === undefined) throw refusal(call, "EOPNOTSUPP");
  if (!Number.isInteger(vid) || vid < 1 || vid > 4094) throw refusal(call, "EINVAL");
  // With the first VLAN of its own a port leaves the one that its bridge gave it.
  if (device.givenVlan !== undefined && device.givenVlan !== vid) device.vlans.delete(device.givenVlan);
  device.givenVlan = undefined;
  // A port has one VLAN for what comes in without a tag: the latest to be told so.
  if (pvid) for (const [other, flags] of device.vlans) device.vlans.set(other, { ...flags, pvid: false });
  device.vlans.set(vid, { pvid, untagged });
}

/**
 * @throws SelvedgeError kernel ENODEV, EOPNOTSUPP (a link that sends nothing to an address), EAFNOSUPPORT (to one of the
 * other family than its outer packets)
 */
export function ensureForward(network: Network, fact: ForwardFact): void {
  const call = `fdb add ${fact.mac} dev ${fact.link}`;
  const device = deviceOf(network, fact.link, call);
  if (device.kind !== "vxlan") throw refusal(call, "EOPNOTSUPP");
  if (family(fact.to) !== family(device.nature.vxlan?.local ?? ANY_IPV4)) throw refusal(call, "EAFNOSUPPORT");
  // Any other MAC is at one place.
  if (fact.mac !== EVERYONE_ELSE)
    for (const [key, { mac }] of device.forwards) if (mac === fact.mac) device.forwards.delete(key);
  device.forwards.set(forwardKey(fact), fact);
}

/** @throws SelvedgeError kernel ENODEV, EINVAL (no port of a bridge) */
export function ensurePortMac(network: Network, { link, mac }: PortMacFact): void {
  const call = `fdb add ${mac} dev ${link} master`;
  const device = deviceOf(network, link, call);
  if (device.master === undefined) throw refusal(call, "EINVAL");
  for (const other of network.devices.values()) if (other.master === device.master) other.behind.delete(mac);
  device.behind.add(mac);
}

const ANY_IPV4 = "0.0.0.0" as Address;

export const forwardKey = ({ mac, to }: Pick<ForwardFact, "mac" | "to">): string => `${mac} ${to}`;
