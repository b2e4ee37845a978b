/** Links of the fake that have no other end: what carries them, and what they are for life. */
import { constants } from "node:os";
import { SelvedgeError } from "#lib/errors.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { absence, FEATURES, type FeatureName } from "#lib/state/features.ts";
import { isCarried, isSameNature } from "../nature.ts";
import { type Device, deviceOf, type Network, newDevice } from "./device.ts";
import type { NetworkAt } from "./link.ts";
import { refusal } from "./refusal.ts";

/** A link of ours that cannot become the wanted one: it counts as absent. */
export const isRemains = (at: NetworkAt, device: Device, want: LinkFact): boolean =>
  device.isOurs && device.kind === want.kind && !(isSameNature(want, device.nature) && isOnParent(at, device, want));

function isOnParent(at: NetworkAt, { parent }: Device, want: LinkFact): boolean {
  if (want.parent === undefined) return true;
  return parent !== undefined && parent.name === want.parent.name && parent.network === at(want.parent.at);
}

/** @throws SelvedgeError kernel ENODEV, EINVAL, EBUSY, EOPNOTSUPP (the kernel lacks the kind), conflict */
export function makeSingle(at: NetworkAt, network: Network, fact: LinkFact): Device {
  const call = `add link ${fact.name}`;
  refuseAbsent(call, fact, network.absent);
  const parent = carrierOf(at, fact, call);
  if (parent !== undefined) refuseOnParent(call, parent, fact);
  if (fact.vxlan !== undefined && isVxlanTaken(network, fact.vxlan))
    throw conflict(`VXLAN ${fact.vxlan.id} on UDP port ${fact.vxlan.port} is taken: another link has it`);
  const device = newDevice(network, fact.name, fact.kind);
  device.isOurs = true;
  device.parent = parent;
  parent?.carries.add(device);
  const { mode, vlan, vxlan, gre, tap } = fact;
  device.nature = {
    ...(fact.kind === "macvlan" || fact.kind === "ipvlan" ? { mode: mode ?? BORN_WITH[fact.kind] } : {}),
    ...(vlan === undefined ? {} : { vlan }),
    ...(vxlan === undefined ? {} : { vxlan }),
    ...(gre === undefined ? {} : { gre }),
    ...(fact.kind === "tap" ? { tap: { multiQueue: false, ...tap } } : {}),
    ...(fact.kind === "bridge" ? { vlanFiltering: false } : {}),
  };
  if (parent !== undefined) device.mtu = parent.mtu;
  return device;
}

/** What the kernel takes where nothing is said (drivers/net/macvlan.c, drivers/net/ipvlan/ipvlan_main.c). */
const BORN_WITH = { macvlan: "vepa", ipvlan: "l3" } as const;

function refuseAbsent(call: string, { kind, mode, vlanFiltering }: LinkFact, absent: ReadonlySet<FeatureName>): void {
  const needed: readonly string[] = [
    kind,
    ...(vlanFiltering === undefined ? [] : ["bridge-vlan"]),
    ...(mode === "l3s" ? ["ipvlan-l3s"] : []),
  ];
  const lacking = needed.find((name): name is FeatureName => name in FEATURES && absent.has(name as FeatureName));
  if (lacking !== undefined)
    throw new SelvedgeError({ kind: "kernel", call, errno: constants.errno.EOPNOTSUPP }, absence(lacking));
}

/** A link that must be carried has a parent; a vxlan may have one. */
function carrierOf(at: NetworkAt, { kind, name, parent }: LinkFact, call: string): Device | undefined {
  if (parent === undefined) {
    if (isCarried(kind)) throw refusal(call, "EINVAL");
    return undefined;
  }
  const network = at(parent.at);
  if (network === undefined) throw refusal(`${call}: its parent ${parent.name} of ${name}`, "ENODEV");
  return deviceOf(network, parent.name, `${call}: its parent ${parent.name}`);
}

/** drivers/net/macvlan.c, drivers/net/ipvlan/ipvlan_main.c, net/8021q/vlan.c (v6.12) */
function refuseOnParent(call: string, parent: Device, { kind, mode, vlan, mtu }: LinkFact): void {
  const others = [...parent.carries];
  if (vlan !== undefined && others.some(({ nature }) => sameVlan(nature.vlan, vlan)))
    throw conflict(`VLAN ${vlan.id} (${vlan.protocol}) is taken on ${parent.name}: another link has it`);
  if (isCarried(kind) && mtu !== undefined && mtu > parent.mtu) throw refusal(call, "EINVAL");
  if (kind !== "macvlan" && kind !== "ipvlan") return;
  const rivals = others.filter((other) => other.kind === "macvlan" || other.kind === "ipvlan");
  if (parent.master !== undefined || rivals.some((rival) => rival.kind !== kind))
    throw conflict(`${parent.name} cannot carry a link of kind ${kind}: something else takes all of its frames`);
  const isAlone = mode === "passthru" || rivals.some((rival) => rival.nature.mode === "passthru");
  if (isAlone && rivals.length > 0) throw refusal(call, "EINVAL");
}

const sameVlan = (a: LinkFact["vlan"], b: LinkFact["vlan"]): boolean =>
  a !== undefined && a.id === b?.id && a.protocol === b.protocol;

const isVxlanTaken = (network: Network, { id, port }: NonNullable<LinkFact["vxlan"]>): boolean =>
  [...network.devices.values()].some(({ nature }) => nature.vxlan?.id === id && nature.vxlan.port === port);

const conflict = (what: string): SelvedgeError => new SelvedgeError({ kind: "conflict", what }, what);

/** What may change in a link's life. @throws SelvedgeError kernel EINVAL, EOPNOTSUPP */
export function setNature(device: Device, fact: LinkFact): void {
  const call = `set link ${fact.name}`;
  refuseAbsent(call, fact, device.network.absent);
  const { mode, broadcastQueue, wireguard, vlanFiltering } = fact;
  if ((mode === "passthru") !== (device.nature.mode === "passthru") && mode !== undefined)
    throw refusal(call, "EINVAL");
  device.nature = {
    ...device.nature,
    ...(mode === undefined ? {} : { mode }),
    ...(broadcastQueue === undefined ? {} : { broadcastQueue }),
    ...(wireguard === undefined ? {} : { wireguard }),
    ...(vlanFiltering === undefined ? {} : { vlanFiltering }),
  };
  // Told to filter, a bridge of ours gives its ports no VLAN by itself, and takes back what it gave.
  if (vlanFiltering !== true || device.defaultPvid === 0) return;
  for (const port of [device, ...portsOf(device)])
    if (port.vlans.get(device.defaultPvid)?.pvid === true) port.vlans.delete(device.defaultPvid);
  device.defaultPvid = 0;
}

const portsOf = (bridge: Device): Device[] =>
  [...bridge.network.devices.values()].filter(({ master }) => master === bridge);

/** A new port is on the VLAN that its bridge gives by itself. */
export function joinBridge(device: Device, bridge: Device): void {
  if (device.master === bridge) return;
  device.master = bridge;
  device.vlans.clear();
  device.behind.clear();
  device.hairpin = false;
  device.quiet = false;
  device.givenVlan = bridge.defaultPvid === 0 ? undefined : bridge.defaultPvid;
  if (device.givenVlan !== undefined) device.vlans.set(device.givenVlan, { pvid: true, untagged: true });
}
