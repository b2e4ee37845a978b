/** Making, setting and describing links of the fake. */
import { SelvedgeError } from "#lib/errors.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { natureFacts } from "../nature.ts";
import { type Device, deleteDevice, deviceOf, type Network, newDevice, setMac, takeDown } from "./device.ts";
import { refusal } from "./refusal.ts";
import { isRemains, joinBridge, makeSingle, setNature } from "./single.ts";

export type NetworkAt = (place: Place) => Network | undefined;

const marked = (device: Device | undefined): boolean => device?.alias?.startsWith("selvedge ") ?? false;

/** A link of ours: marked itself, or the far end of a marked pair. */
export const isOurs = (device: Device): boolean => device.isOurs || marked(device) || marked(device.peer);

/** Makes the link unless it stands, and gives it what the fact names. @throws SelvedgeError kernel, interface-exists */
export function ensureLink(networkAt: NetworkAt, network: Network, fact: LinkFact): void {
  const there = network.devices.get(fact.name);
  if (fact.kind === "foreign" || fact.kind === "loopback")
    setLink(deviceOf(network, fact.name, `set link ${fact.name}`), fact);
  else if (there !== undefined && (!isOurs(there) || there.kind !== fact.kind)) throw taken(fact.name);
  else if (there !== undefined && hasPeer(networkAt, there, fact) && !isRemains(networkAt, there, fact))
    setLink(there, fact);
  else {
    if (there !== undefined) deleteDevice(there);
    const make = fact.kind === "veth" ? makePair : makeSingle;
    setLink(make(networkAt, network, fact), fact);
  }
}

/** Removes a link of ours; anything else of that name stays. */
export function removeLink(network: Network, fact: LinkFact): void {
  const device = network.devices.get(fact.name);
  if (device !== undefined && fact.kind !== "foreign" && fact.kind !== "loopback" && isOurs(device))
    deleteDevice(device);
}

function hasPeer(networkAt: NetworkAt, device: Device, fact: LinkFact): boolean {
  if (fact.peer === undefined) return true;
  return device.peer?.name === fact.peer.name && device.peer.network === networkAt(fact.peer.at);
}

function makePair(networkAt: NetworkAt, network: Network, fact: LinkFact): Device {
  const { peer } = fact;
  const far = peer && networkAt(peer.at);
  if (peer === undefined || far === undefined) throw refusal(`add link ${fact.name}`, "EINVAL");
  const inTheWay = far.devices.get(peer.name);
  if (inTheWay !== undefined) {
    if (!marked(inTheWay)) throw taken(peer.name);
    deleteDevice(inTheWay);
  }
  const device = newDevice(network, fact.name, "veth");
  device.peer = newDevice(far, peer.name, "veth");
  device.peer.peer = device;
  return device;
}

const taken = (name: string): SelvedgeError =>
  new SelvedgeError({ kind: "interface-exists", name }, `${name} is taken by a link that is not Selvedge's`);

export function setLink(device: Device, fact: LinkFact): void {
  const call = `set link ${fact.name}`;
  setNature(device, fact);
  if (fact.mtu !== undefined) device.mtu = fact.mtu;
  if (fact.mac !== undefined) setMac(device, fact.mac);
  if (fact.alias !== undefined) device.alias = fact.alias;
  if (fact.master !== undefined) {
    const master = deviceOf(device.network, fact.master, call);
    if (master.kind !== "bridge") throw refusal(call, "EOPNOTSUPP");
    joinBridge(device, master);
  }
  if (fact.hairpin !== undefined) {
    if (fact.hairpin && device.master === undefined) throw refusal(call, "EOPNOTSUPP");
    device.hairpin = fact.hairpin;
  }
  if (fact.quiet !== undefined) {
    if (device.master === undefined) throw refusal(call, "EOPNOTSUPP");
    device.quiet = fact.quiet;
  }
  device.promiscuous = fact.promiscuous ?? device.promiscuous;
  device.noIpv6LinkLocal = fact.noIpv6LinkLocal ?? device.noIpv6LinkLocal;
  device.routeLocalnet = fact.routeLocalnet ?? device.routeLocalnet;
  // net/8021q/vlan_dev.c, vlan_dev_open
  if (fact.up && device.kind === "vlan" && device.parent?.up === false) throw refusal(call, "ENETDOWN");
  if (fact.up) device.up = true;
  else if (device.up) takeDown(device);
}

/** What a look asks for: a link's place and kind, and the properties that are told as they are asked for. */
type Seeker = Pick<LinkFact, "at" | "kind"> & Partial<LinkFact>;

/** The whole link as a fact, as seen from a scope; a peer in a third namespace is left out. */
export function describeLink(networkAt: NetworkAt, device: Device, asked: Seeker): LinkFact {
  const { peer, parent } = device;
  const places: readonly Place[] = asked.at === "host" ? ["pod", "host"] : ["host", "pod"];
  const peerAt = peer && places.find((place) => networkAt(place) === peer.network);
  const parentAt =
    parent && [asked.parent?.at ?? asked.at, ...places].find((place) => networkAt(place) === parent.network);
  return {
    type: "link",
    at: asked.at,
    name: device.name,
    kind: asked.kind === "foreign" ? "foreign" : device.kind,
    up: device.up,
    mtu: device.mtu,
    mac: device.mac,
    ...(device.alias === undefined ? {} : { alias: device.alias }),
    ...(peer === undefined || peerAt === undefined ? {} : { peer: { at: peerAt, name: peer.name } }),
    ...(parent === undefined || parentAt === undefined ? {} : { parent: { at: parentAt, name: parent.name } }),
    ...natureFacts(device.nature, asked),
    ...(device.master === undefined ? {} : { master: device.master.name }),
    hairpin: device.hairpin,
    quiet: device.quiet,
    promiscuous: device.promiscuous,
    noIpv6LinkLocal: device.noIpv6LinkLocal,
    routeLocalnet: device.routeLocalnet,
  };
}
