/** What a packet passes between a pod and the network between the nodes, in the order of its way. Pure. */
import { type Address, type Family, family } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import { type ChosenWay, isChosen, type NoWay } from "#lib/cluster/ways.ts";
import { greLink, vxlanLink, WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";

/** One device that a packet passes. */
export interface Stage {
  readonly place: "pod" | "node" | "bridge" | "parent" | "way" | "underlay";
  /** Empty: none. */
  readonly device: string;
  readonly kind: string;
  /** Largest packet that passes, bytes; 0: not known. */
  readonly mtu: number;
  /** For people. */
  readonly what: string;
  /** Where a packet may be dropped here: nftables tables with their chains, queues. */
  readonly checks: readonly string[];
  /** What should be there for it to pass. */
  readonly facts: readonly Fact[];
}

/** From the pod outwards. A pod whose links another plugin made is known by its interface alone. */
export function podStages(
  { facts, ifname, pod, containerId }: AttachmentRecord,
  addresses: readonly Address[],
): Stage[] {
  const links = facts.filter((fact) => fact.type === "link");
  const inside = links.find((link) => link.at === "pod" && link.name === ifname);
  const who = pod ?? containerId;
  const first: Stage = {
    place: "pod",
    device: ifname,
    kind: inside?.kind ?? "another plugin's",
    mtu: inside?.mtu ?? 0,
    what: `${who}, ${addresses.join(", ")}`,
    checks: [],
    facts: facts.filter((fact) => fact.at === "pod"),
  };
  if (inside?.parent !== undefined) return [first, parentStage(inside)];
  const outside = links.find((link) => link.at === "host" && link.peer?.at === "pod" && link.peer.name === ifname);
  if (outside === undefined) return [first];
  const bridge = links.find((link) => link.at === "host" && link.name === outside.master);
  return [
    first,
    hostEnd(outside, facts, addresses),
    ...(outside.master === undefined ? [] : [bridgeStage(outside.master, bridge)]),
  ];
}

const parentStage = ({ kind, parent }: LinkFact): Stage => ({
  place: "parent",
  device: parent?.name ?? "",
  kind,
  mtu: 0,
  what: "packets do not pass the node's routing",
  checks: [],
  facts: [],
});

function hostEnd(link: LinkFact, facts: readonly Fact[], addresses: readonly Address[]): Stage {
  const own = facts.filter((fact) => fact.at === "host" && speaksOf(fact, link.name, addresses));
  const detours = own.filter((fact) => fact.type === "redirect");
  const queues = facts.filter((fact) => fact.at === "host" && detours.some(({ to }) => isOf(fact, to)));
  return {
    place: "node",
    device: link.name,
    kind: link.kind,
    mtu: link.mtu ?? 0,
    what: link.master === undefined ? "routed" : `a port of ${link.master}`,
    checks: own.flatMap((fact) => checkOf(fact, queues)),
    facts: [...own, ...queues],
  };
}

const bridgeStage = (name: string, link: LinkFact | undefined): Stage => ({
  place: "bridge",
  device: name,
  kind: "bridge",
  mtu: link?.mtu ?? 0,
  what: "",
  checks: [],
  facts: link === undefined ? [] : [link],
});

function speaksOf(fact: Fact, link: string, addresses: readonly string[]): boolean {
  if (fact.type === "element") return fact.key.some((part) => part === link || addresses.includes(part));
  return isOf(fact, link);
}

/** Whether it is a link, or something on it. */
const isOf = (fact: Fact, link: string): boolean =>
  fact.type === "link" ? fact.name === link : "link" in fact && fact.link === link;

/** What of a fact may drop a packet. @param queues where redirects lead */
function checkOf(fact: Fact, queues: readonly Fact[]): string[] {
  if (fact.type === "element" && fact.set === "guarded") return [`${fact.family} selvedge guard`];
  if (fact.type === "shaper") return [`${megabits(fact)} into the pod`];
  if (fact.type !== "redirect") return [];
  const queue = queues.find((each) => (each.type === "shaper" || each.type === "tree") && each.link === fact.to);
  const rate = queue?.type === "shaper" || queue?.type === "tree" ? megabits(queue) : "shaped";
  return [`${rate} ${fact.hook === "egress" ? "into" : "out of"} the pod`];
}

const megabits = ({ rateBits }: { readonly rateBits: number }): string => `${rateBits / 1_000_000} Mbit/s`;

/** The device by which packets of pods reach another node, and by which they arrive there: `from` and `to` are names of nodes. */
function wayDevice(way: Pick<ChosenWay, "way" | "to" | "egress">, other: string): string {
  const underlay = family(way.to);
  switch (way.way) {
    case "vxlan":
      return vxlanLink(underlay);
    case "gre":
      return greLink(other, underlay);
    case "wireguard":
      return WIREGUARD_LINK;
    case "direct":
      return way.egress.link;
  }
}

export interface Onward {
  readonly record: NodeRecord;
  readonly ways: Readonly<Record<Family, ChosenWay | NoWay>>;
  readonly liveness: string;
  /** What the node has because of that other one. */
  readonly facts: readonly Fact[];
}

/** From a node to another. @param shared devices that all ways share */
export function onwardStages({ record, ways, liveness, facts }: Onward, of: Family, shared: readonly Fact[]): Stage[] {
  const way = ways[of];
  const nothing = { device: "", kind: "none", mtu: 0, checks: [], facts: [] };
  if (!isChosen(way)) return [{ ...nothing, place: "way", what: `no way to ${record.name}: ${way.reason}` }];
  if (liveness === "dead")
    return [{ ...nothing, place: "way", what: `${record.name} is dead; its routes are withdrawn` }];
  const device = wayDevice(way, record.name);
  const { egress } = way;
  const next = egress.via === undefined ? "" : ` by ${egress.via}`;
  const onWay: Stage = {
    place: "way",
    device,
    kind: way.encrypted && way.way !== "wireguard" ? `${way.way} in wireguard` : way.way,
    mtu: way.mtuBytes,
    what: `to ${way.to}; ${way.reason}`,
    checks: [],
    facts: [...shared.filter((fact) => fact.type === "link" && fact.name === device), ...facts],
  };
  if (way.way === "direct") return [onWay];
  return [
    onWay,
    {
      place: "underlay",
      device: egress.link,
      kind: "",
      mtu: egress.mtuBytes,
      what: `${egress.source} to ${egress.to}${next}`,
      checks: [],
      facts: [],
    },
  ];
}

/** How it comes in. @param way that the other node has chosen; `link`: for a direct one, by which this node reaches it */
export function arrivalStage(
  from: string,
  way: Pick<ChosenWay, "way" | "to" | "egress">,
  { link, shared }: { readonly link: string | undefined; readonly shared: readonly Fact[] },
): Stage {
  const device = way.way === "direct" ? (link ?? "") : wayDevice(way, from);
  const there = shared.find((fact) => fact.type === "link" && fact.name === device);
  return {
    place: "way",
    device,
    kind: way.way,
    mtu: there?.type === "link" ? (there.mtu ?? 0) : 0,
    what: `from ${from}`,
    checks: way.way === "direct" || way.way === "wireguard" ? [] : ["inet selvedge ways_tunnels"],
    facts: there === undefined ? [] : [there],
  };
}
