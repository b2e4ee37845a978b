/** Link facts to messages and back. */
import { type Mac, macFromBytes } from "#lib/address.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { isCarried, standsAlone } from "../nature.ts";
import {
  ADDR_GEN_NONE,
  DEVCONF_ROUTE_LOCALNET,
  IFF,
  linkAnswer,
  linkRequest,
  RTEXT_FILTER_SKIP_STATS,
  RTM_LINK,
  routesLocalnet,
  vethPeerBody,
  vethPeerData,
} from "../netlink/link.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { kindOfTun, natureOf, readNature, type SeenNature } from "./nature.ts";

/**
 * IFLA_GROUP of every link that we make. It is set at birth, which the alias cannot be: a link that a crash left
 * without its alias is still known as ours.
 */
export const OWN_GROUP = 0x5e1f;
/** What every alias of ours begins with. */
export const ALIAS_PREFIX = "selvedge ";

/** A link as the kernel tells of it; other links are ifindexes. */
export interface SeenLink {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: Mac | undefined;
  readonly alias: string | undefined;
  readonly group: number;
  readonly master: number | undefined;
  readonly hairpin: boolean | undefined;
  readonly quiet: boolean | undefined;
  readonly promiscuous: boolean;
  readonly noIpv6LinkLocal: boolean | undefined;
  readonly routeLocalnet: boolean | undefined;
  /** IFLA_LINK: the other end of a veth, or the link that carries it, in whichever namespace that is. */
  readonly peer: number | undefined;
  /** The namespace of that link is another one. */
  readonly isPeerElsewhere: boolean;
  readonly nature: SeenNature;
}

const byName = (name: string) => linkRequest.body({}, { name, extMask: RTEXT_FILTER_SKIP_STATS });

export function getLink(which: string | number): Request {
  const body =
    typeof which === "string"
      ? byName(which)
      : linkRequest.body({ index: which }, { extMask: RTEXT_FILTER_SKIP_STATS });
  return { what: `link get ${which}`, type: RTM_LINK.GET, flags: 0, body };
}

export const dumpLinks: Request = {
  what: "link list",
  type: RTM_LINK.GET,
  flags: 0,
  body: linkRequest.body({}, { extMask: RTEXT_FILTER_SKIP_STATS }),
};

/** @throws RangeError */
export function readLink(message: Message): SeenLink {
  const { head, attrs } = linkAnswer.read(message.body);
  const { info, specific, address } = attrs;
  const port = info?.slaveKind === "bridge" ? info.slaveData : undefined;
  const addrGen = specific?.inet6?.addrGenMode;
  const tun = info?.kind === "tun" ? kindOfTun(info.data) : undefined;
  // The tun devices of ours are wireguard-go's.
  const isOfOurs = attrs.group === OWN_GROUP || attrs.alias?.startsWith(ALIAS_PREFIX) === true;
  const kind = tun === "tun" && isOfOurs ? "wireguard" : (tun ?? info?.kind);
  return {
    index: head.index,
    name: attrs.name ?? "",
    kind: kind ?? ((head.flags & IFF.LOOPBACK) !== 0 ? "loopback" : "physical"),
    up: (head.flags & IFF.UP) !== 0,
    mtu: attrs.mtu ?? 0,
    mac: address?.length === 6 ? macFromBytes(address) : undefined,
    alias: attrs.alias,
    group: attrs.group ?? 0,
    master: attrs.master,
    hairpin: port?.mode === undefined ? undefined : port.mode !== 0,
    quiet: port && Object.entries(portFlags(true)).every(([key, value]) => port[key as keyof typeof port] === value),
    promiscuous: (head.flags & IFF.PROMISC) !== 0,
    noIpv6LinkLocal: addrGen === undefined ? undefined : addrGen === ADDR_GEN_NONE,
    routeLocalnet: routesLocalnet(specific?.inet?.conf),
    peer: attrs.link,
    isPeerElsewhere: attrs.netNsId !== undefined,
    nature: kind === undefined || info?.data === undefined ? {} : readNature(kind, info.data),
  };
}

/** Links of ours, half-made ones among them. */
export const isOurs = (link: SeenLink): boolean =>
  link.group === OWN_GROUP || (link.alias?.startsWith(ALIAS_PREFIX) ?? false);

/** Whether an existing link may be taken for the wanted one: same kind, and nobody else's. */
export function mayAdopt(want: LinkFact, link: SeenLink): boolean {
  if (want.kind === "device") return link.alias === want.alias;
  if (want.kind !== "foreign" && want.kind !== link.kind) return false;
  if (standsAlone(want.kind) && !isOurs(link)) return false;
  if (want.alias === undefined || link.alias === want.alias) return true;
  return link.alias === undefined && link.group === OWN_GROUP;
}

/** Whether the link that carries it is the wanted one: `parent` is its ifindex, in whichever namespace it is. */
export function isCarriedBy(want: LinkFact, link: SeenLink, parent: number | undefined): boolean {
  if (want.parent === undefined) return true;
  if (!isCarried(want.kind)) return link.nature.carrier === parent;
  return link.peer === parent && link.isPeerElsewhere === (want.parent.at !== want.at);
}

const up = (isUp: boolean) => ({ flags: isUp ? IFF.UP : 0, change: IFF.UP });

/** Both ends' names, MTU and MAC are there from the beginning; the far end is in the namespace behind `hostNs`. */
export function createVeth(
  pod: LinkFact,
  host: LinkFact,
  at: { podIndex: number; hostIndex: number; hostNs: number },
): Request {
  const peer = vethPeerBody(
    { index: at.hostIndex },
    { ...birth(host), group: OWN_GROUP, netNsFd: at.hostNs, txQueues: 1, rxQueues: 1 },
  );
  const early = pod.up && pod.noIpv6LinkLocal === undefined ? up(true) : {};
  const body = linkRequest.body(
    { index: at.podIndex, ...early },
    { ...birth(pod), txQueues: 1, rxQueues: 1, info: { kind: "veth", data: vethPeerData(peer) } },
  );
  return { what: `link add ${pod.name} peer ${host.name}`, type: RTM_LINK.NEW, flags: NLM_F.CREATE | NLM_F.EXCL, body };
}

/** Ifindex of the link that carries it, and a descriptor of the namespace to be born in if that is another one. */
export interface Birthplace {
  readonly parent?: number;
  readonly netNsFd?: number;
}

/** A link without another end. One that is carried has as many queues as its carrier. */
export function createLink(fact: LinkFact, index: number, { parent, netNsFd }: Birthplace = {}): Request {
  const carried = isCarried(fact.kind);
  const data = natureOf(fact, parent);
  const body = linkRequest.body(
    { index },
    {
      ...birth(fact),
      ...bornMtu(fact),
      ...(carried && parent !== undefined ? { link: parent } : {}),
      group: OWN_GROUP,
      ...(netNsFd === undefined ? {} : { netNsFd }),
      ...(carried ? {} : { txQueues: 1, rxQueues: 1 }),
      info: { kind: fact.kind, ...(data === undefined ? {} : { data }) },
    },
  );
  return { what: `link add ${fact.name}`, type: RTM_LINK.NEW, flags: NLM_F.CREATE | NLM_F.EXCL, body };
}

/**
 * A bridge takes the smallest MTU of its ports unless it was told its own after its birth (net/bridge/br_device.c,
 * br_change_mtu), and told one that it does not have: so it is born with another.
 */
const bornMtu = (fact: LinkFact) =>
  fact.kind === "bridge" && fact.mtu !== undefined ? { mtu: fact.mtu === 1500 ? 1501 : 1500 } : {};

const birth = (fact: LinkFact) => ({
  name: fact.name,
  ...(fact.mtu === undefined ? {} : { mtu: fact.mtu }),
  ...(fact.mac === undefined ? {} : { address: fact.mac }),
});

const set = (what: string, body: Uint8Array): Request => ({ what, type: RTM_LINK.NEW, flags: 0, body });

/** What a link that is there is known to have. */
export type Had = Readonly<Partial<Record<"mtu" | "mac" | "mode" | "broadcastQueue" | "vlanFiltering", unknown>>>;

/** Those of the values with which a link is born that it does not have. */
const unlike = ({ mtu, address, ...rest }: ReturnType<typeof birth>, was: Had | undefined) => ({
  ...(was === undefined ? rest : {}),
  ...(mtu === undefined || mtu === was?.mtu ? {} : { mtu }),
  ...(address === undefined || address === was?.mac ? {} : { address }),
});

/**
 * What has to hold before the link goes up: an IPv6 link-local address would be made at that moment. What it has already, because it was
 * born with it (`fresh`) or according to `was`, is left out: setting even the same MAC address makes the kernel forget
 * the link's neighbours.
 */
export function prepareLink(
  fact: LinkFact,
  index: number,
  { fresh, was }: { fresh: boolean; was?: Had | undefined },
): Request[] {
  const { alias, noIpv6LinkLocal, routeLocalnet } = fact;
  const data = fresh || !isNatureChanged(fact, was) ? undefined : natureOf(fact);
  const inet6 = noIpv6LinkLocal === undefined ? undefined : { addrGenMode: noIpv6LinkLocal ? ADDR_GEN_NONE : 0 };
  const inet =
    routeLocalnet === undefined ? undefined : { conf: new Map([[DEVCONF_ROUTE_LOCALNET, routeLocalnet ? 1 : 0]]) };
  const values = {
    ...(fresh || fact.kind === "loopback" ? {} : unlike(birth(fact), was)),
    // An MTU that is not set by itself follows the ports' (net/bridge/br_if.c, br_mtu_auto_adjust).
    ...(fact.kind === "bridge" && fact.mtu !== undefined ? { mtu: fact.mtu } : {}),
    ...(alias === undefined ? {} : { alias }),
    ...(data === undefined ? {} : { info: { kind: fact.kind, data } }),
    ...(inet6 === undefined && inet === undefined
      ? {}
      : { specific: { ...(inet === undefined ? {} : { inet }), ...(inet6 === undefined ? {} : { inet6 }) } }),
  };
  return Object.keys(values).length === 0 ? [] : [set(`link set ${fact.name}`, linkRequest.body({ index }, values))];
}

/** What a link can become: everything else of its nature is for life. */
const isNatureChanged = (fact: LinkFact, was: Had | undefined): boolean =>
  (["mode", "broadcastQueue", "vlanFiltering"] as const).some(
    (key) => fact[key] !== undefined && fact[key] !== was?.[key],
  );

/** What makes a port quiet, or the contrary. */
const portFlags = (isQuiet: boolean) => {
  const [off, on] = isQuiet ? [0, 1] : [1, 0];
  return { learning: off, unicastFlood: off, multicastFlood: off, broadcastFlood: off, suppressNeighbours: on };
};

/** Port of its bridge, not up yet. */
export const joinMaster = (name: string, index: number, master: number): Request =>
  set(`link set ${name} master`, linkRequest.body({ index }, { master }));

/** Port of its bridge, promiscuous, up or down. */
export function raiseLink(fact: LinkFact, index: number, master: number | undefined): Request[] {
  const promisc = fact.promiscuous === undefined ? 0 : fact.promiscuous ? IFF.PROMISC : 0;
  const change = IFF.UP | (fact.promiscuous === undefined ? 0 : IFF.PROMISC);
  const head = { index, flags: (fact.up ? IFF.UP : 0) | promisc, change };
  const requests = [
    set(
      `link set ${fact.name} ${fact.up ? "up" : "down"}`,
      linkRequest.body(head, master === undefined ? {} : { master }),
    ),
  ];
  if (fact.hairpin !== undefined) {
    const info = { slaveKind: "bridge", slaveData: { mode: fact.hairpin ? 1 : 0 } };
    requests.push(set(`link set ${fact.name} hairpin`, linkRequest.body({ index }, { info })));
  }
  if (fact.quiet !== undefined) {
    const info = { slaveKind: "bridge", slaveData: portFlags(fact.quiet) };
    requests.push(set(`link set ${fact.name} quiet`, linkRequest.body({ index }, { info })));
  }
  return requests;
}

export const lowerLink = (name: string, index: number): Request =>
  set(`link set ${name} down`, linkRequest.body({ index, ...up(false) }));

export const groupLink = (index: number, group: number): Request =>
  set(`link set ${index} group`, linkRequest.body({ index }, { group }));

export const deleteLink = (index: number): Request => ({
  what: `link del ${index}`,
  type: RTM_LINK.DEL,
  flags: 0,
  body: linkRequest.body({ index }),
});

/** Every link of the group, with one wait for the kernel's grace periods. */
export const deleteGroup = (group: number): Request => ({
  what: "link del group",
  type: RTM_LINK.DEL,
  flags: 0,
  body: linkRequest.body({}, { group }),
});
