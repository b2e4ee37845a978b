/** A network namespace and its links in memory; what depends on a link dies with it, as in Linux. */
import { type Address, family, type Mac, type Prefix } from "#lib/address.ts";
import type {
  AddressFact,
  ForwardFact,
  LinkFact,
  PortVlanFact,
  RouteFact,
  RuleFact,
  WireguardPeerFact,
} from "#lib/state/fact.ts";
import type { FeatureName } from "#lib/state/features.ts";
import type { MirrorFact, ShaperFact, TreeFact } from "#lib/state/traffic-fact.ts";
import type { Nature } from "../nature.ts";
import { refusal } from "./refusal.ts";
import { forgetTarget } from "./traffic.ts";

export interface Device {
  network: Network;
  name: string;
  /** Hardware: its name on the host, where it goes when its namespace ends. */
  home: string | undefined;
  readonly kind: LinkFact["kind"];
  up: boolean;
  mtu: number;
  mac: Mac;
  alias: string | undefined;
  peer: Device | undefined;
  master: Device | undefined;
  hairpin: boolean;
  quiet: boolean;
  promiscuous: boolean;
  noIpv6LinkLocal: boolean;
  routeLocalnet: boolean;
  /** It is in our flowtable. */
  offloaded: boolean;
  readonly addresses: Map<Prefix, AddressFact>;
  /** Permanent ones only. */
  readonly neighbours: Map<Address, Mac>;
  queue: ShaperFact | TreeFact | undefined;
  /** Where everything goes that enters or leaves by the link. */
  readonly redirects: Map<"ingress" | "egress", Device>;
  /** By hook and slot. */
  readonly mirrors: Map<string, { readonly fact: MirrorFact; readonly to: Device }>;
  /** For links without another end: made by us, and what they are for life. */
  isOurs: boolean;
  nature: Nature;
  parent: Device | undefined;
  readonly carries: Set<Device>;
  /** Of a bridge: the VLAN that it gives its ports by itself; 0 is none. */
  defaultPvid: number;
  /** Of a port: the VLAN that its bridge gave it when it joined. */
  givenVlan: number | undefined;
  /** By VLAN id; of a port, or of a bridge itself. */
  readonly vlans: Map<number, Pick<PortVlanFact, "pvid" | "untagged">>;
  readonly forwards: Map<string, ForwardFact>;
  /** Of a port: what is behind it for as long as it is one. */
  readonly behind: Set<Mac>;
  /** Of a wireguard device, by public key. */
  readonly peers: Map<string, WireguardPeerFact>;
}

export interface Route {
  readonly fact: RouteFact;
  readonly device: Device;
  /** Carries our protocol number. */
  readonly ours: boolean;
}

export interface Network {
  readonly inode: number;
  readonly devices: Map<string, Device>;
  /** By what the kernel takes for the same route: table, destination, metric. */
  readonly routes: Map<string, Route>;
  readonly rules: Map<string, RuleFact>;
  /** Only those that were written. */
  readonly sysctls: Map<string, string>;
  /** What this kernel was built without. */
  readonly absent: ReadonlySet<FeatureName>;
}

/** A namespace as the kernel makes it: nothing but `lo`, down. */
export function newNetwork(inode: number, absent: ReadonlySet<FeatureName>): Network {
  const network = { inode, devices: new Map(), routes: new Map(), rules: new Map(), sysctls: new Map(), absent };
  newDevice(network, "lo", "loopback").mtu = 65_536;
  return network;
}

/** IFLA_BR_VLAN_DEFAULT_PVID of a bridge that was never told another. */
const DEFAULT_PVID = 1;

let madeMacs = 0;

/** @throws SelvedgeError kernel EEXIST, EINVAL */
export function newDevice(network: Network, name: string, kind: LinkFact["kind"]): Device {
  const call = `add link ${name}`;
  if (network.devices.has(name)) throw refusal(call, "EEXIST");
  if (name === "" || new TextEncoder().encode(name).length > 15) throw refusal(call, "EINVAL");
  const number = (++madeMacs).toString(16).padStart(8, "0").match(/../g) ?? [];
  const device: Device = {
    network,
    name,
    home: kind === "device" ? name : undefined,
    kind,
    up: false,
    mtu: 1500,
    mac: (kind === "loopback" ? "00:00:00:00:00:00" : `02:fa:${number.join(":")}`) as Mac,
    alias: undefined,
    peer: undefined,
    master: undefined,
    hairpin: false,
    quiet: false,
    promiscuous: false,
    noIpv6LinkLocal: false,
    routeLocalnet: false,
    offloaded: false,
    addresses: new Map(),
    neighbours: new Map(),
    queue: undefined,
    redirects: new Map(),
    mirrors: new Map(),
    isOurs: false,
    nature: {},
    parent: undefined,
    carries: new Set(),
    defaultPvid: DEFAULT_PVID,
    givenVlan: undefined,
    vlans: new Map(kind === "bridge" ? [[DEFAULT_PVID, { pvid: true, untagged: true }]] : []),
    forwards: new Map(),
    behind: new Set(),
    peers: new Map(),
  };
  network.devices.set(name, device);
  return device;
}

/** @throws SelvedgeError kernel ENODEV */
export function deviceOf(network: Network, name: string, call: string): Device {
  const device = network.devices.get(name);
  if (device === undefined) throw refusal(call, "ENODEV");
  return device;
}

/** Both ends of a veth die together, and what a link carries with it; the ports of a bridge are freed; what went out by the link is gone. */
export function deleteDevice(device: Device): void {
  const { network, peer } = device;
  if (network.devices.get(device.name) !== device) return;
  takeDown(device);
  network.devices.delete(device.name);
  for (const other of network.devices.values()) {
    if (other.master === device) leaveBridge(other);
    forgetTarget(other, device);
  }
  device.parent?.carries.delete(device);
  for (const carried of [...device.carries]) deleteDevice(carried);
  if (peer !== undefined) deleteDevice(peer);
}

function leaveBridge(port: Device): void {
  port.master = undefined;
  port.vlans.clear();
  port.behind.clear();
  port.hairpin = false;
  port.quiet = false;
}

/** Routes, neighbours and IPv6 addresses do not outlive IFF_UP; IPv4 addresses do. */
export function takeDown(device: Device): void {
  device.up = false;
  device.neighbours.clear();
  for (const [key, route] of device.network.routes) if (route.device === device) device.network.routes.delete(key);
  for (const address of device.addresses.keys()) if (family(address) === 6) device.addresses.delete(address);
}

/** Another MAC address makes the link forget its neighbours, permanent ones too (net/core/neighbour.c, neigh_changeaddr). */
export function setMac(device: Device, mac: Mac): void {
  if (device.mac !== mac) device.neighbours.clear();
  device.mac = mac;
}

/** Everything in a namespace dies with it, and so do the other ends of its veths. */
export function deleteNetwork(network: Network): void {
  for (const device of [...network.devices.values()]) deleteDevice(device);
}
