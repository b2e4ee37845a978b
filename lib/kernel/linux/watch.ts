/**
 * Hears of changes that somebody else makes to links, addresses, routes, neighbours, rules, queues and forwarding: on
 * the host, and in the pods' namespaces, whose notifications come to the same socket with the id that the host's end
 * of a pair gave them (NETLINK_LISTEN_ALL_NSID).
 *
 * Most of what is heard is our own work or the kernel's house-keeping. A notification counts when no socket of ours
 * asked for it and it can take away something that we made, or when the machine is to be found elsewhere from then on;
 * everything else is for the full pass of the reconcile loop.
 */
import { isFailure } from "#lib/errors.ts";
import { type ForwardFact, identity, type LinkFact, type PortMacFact, type PortVlanFact } from "#lib/state/fact.ts";
import { ERRNO } from "#native/libc.ts";
import { closeDescriptor } from "#native/namespace.ts";
import { NETLINK_ROUTE, namespacedReceiver, onReadable, openNetlink, setSocketOption } from "#native/socket.ts";
import { type Change, ROUTE_PROTOCOL } from "../kernel.ts";
import { standsAlone } from "../nature.ts";
import { addressMessage, RTM_ADDR } from "../netlink/address.ts";
import { bindByNothing } from "../netlink/bind.ts";
import { AF_BRIDGE, RTM_VLAN, readVlans, VLAN_INFO, type VlanEntries } from "../netlink/bridge-vlan.ts";
import { linkAnswer, RTM_LINK } from "../netlink/link.ts";
import { eachMessage, type Message } from "../netlink/message.ts";
import { namespaceMessage, RTM_NSID } from "../netlink/namespace.ts";
import { NUD_NOARP, neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";
import { ALL_LINKS, netconfMessage, RTM_NEWNETCONF } from "../netlink/netconf.ts";
import { RT_SCOPE, RT_TABLE_MAIN, RTM_ROUTE, routeMessage } from "../netlink/route.ts";
import { RTM_RULE } from "../netlink/rule.ts";
import { RTM_FILTER, RTM_QDISC, tcMessage } from "../netlink/tc.ts";
import { readForward } from "../rtnl/forward.ts";
import { isOurs, readLink, type SeenLink } from "../rtnl/link.ts";
import { readPortMac } from "../rtnl/port-mac.ts";
import { isOwnPriority, readRule } from "../rtnl/rule.ts";
import { neighbourEar } from "./neighbour-ear.ts";

/** linux/rtnetlink.h, enum rtnetlink_groups (v6.12) */
const GROUPS = {
  link: 1,
  neighbour: 3,
  tc: 4,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv4Rule: 8,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv6Rule: 19,
  ipv4Netconf: 24,
  ipv6Netconf: 25,
  namespaceId: 28,
  bridgeVlan: 33,
} as const;

/** Room for a storm of links; what does not fit is reported as lost. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/** An ADD makes some twenty notifications, and its answer goes out before they are read. */
const GATHER_MS = 20;
/** The socket's own namespace in a control message. */
const HOST = -1;

/** Ids that the host has given to pods' namespaces. */
export interface NamespaceIds {
  /** Inode of the namespace with this id; undefined for one that is none of ours, or not known yet. */
  inodeOf(nsid: number): number | undefined;
  forget(nsid: number): void;
}

export interface WatchOptions {
  /** The host's links and neighbours as the kernel lists them, links first. */
  readonly present: () => readonly Message[];
  /** Descriptor of the host's namespace; absent for the process's own. */
  readonly netns?: number | undefined;
  readonly ids: NamespaceIds;
  /** Port ids of our own sockets. A socket in a pod's namespace has the process id as its port, unless it is the second there. */
  readonly isOwnPort: (port: number) => boolean;
  /** What a link of the host, a VLAN of a port or a forwarding entry was last asked to be, by its identity. */
  readonly asked: (identity: string) => Asked | undefined;
}

export type Asked = LinkFact | PortVlanFact | ForwardFact | PortMacFact;

/** Ends with the signal. @throws SelvedgeError kernel */
export function watchNetwork(
  { netns, ids, isOwnPort, asked, present }: WatchOptions,
  onChange: (change: Change | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const fd = openNetlink(NETLINK_ROUTE, netns);
  setSocketOption(fd, "receiveBufferForce", RECEIVE_BUFFER_BYTES);
  setSocketOption(fd, "listenAllNsid");
  for (const group of Object.values(GROUPS)) setSocketOption(fd, "addMembership", group);
  bindByNothing(fd);
  const buffer = new Uint8Array(128 * 1024);
  const next = namespacedReceiver(fd, buffer);
  const hearHost = hostEar(isOwnPort, asked);
  const hearPod = podEar(isOwnPort);
  // Those of a daemon before this one are told of by nobody until they change; what is lost with a change needs their names.
  const survey = (): void => {
    for (const message of present()) hearHost(message);
  };
  survey();

  const take = (nsid: number, message: Message): void => {
    if (isOfPort(message)) return;
    if (message.type === RTM_NSID.DEL && nsid === HOST) {
      const gone = namespaceMessage.read(message.body).attrs.nsid ?? HOST;
      ids.forget(gone);
      hearPod.forget(gone);
    } else if (nsid === HOST) {
      const change = hearHost(message);
      if (change !== undefined) onChange(change);
    } else if (hearPod.tells(nsid, message)) {
      const netnsInode = ids.inodeOf(nsid);
      if (netnsInode !== undefined) onChange({ where: "pod", netnsInode });
    }
  };

  const drain = (): void => {
    try {
      for (let datagram = next(); datagram !== undefined; datagram = next())
        for (const message of eachMessage(buffer.subarray(0, datagram.length))) take(datagram.nsid, message);
    } catch (error) {
      if (!isFailure(error, "kernel") || error.failure.errno !== ERRNO.ENOBUFS) throw error;
      survey();
      onChange(undefined);
    }
  };

  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = onReadable(fd, GATHER_MS, drain);
  signal.addEventListener(
    "abort",
    () => {
      stop();
      closeDescriptor(fd);
      resolve();
    },
    { once: true },
  );
  return promise;
}

const HOST_CHANGE: Change = { where: "host" };
const ADDRESSES_CHANGE: Change = { where: "addresses" };

/** What tells of links or neighbours begins with a family. */
const isOfBridge = ({ body }: Message): boolean => body[0] === AF_BRIDGE;

/** Bridges tell of their ports in messages of a form of their own; the same events come in the common one, too. */
const isOfPort = (message: Message): boolean =>
  (message.type === RTM_LINK.NEW || message.type === RTM_LINK.DEL) && isOfBridge(message);

/** What of a link others could have changed to our harm; the carrier and the counters are the kernel's. */
const lookOf = (link: SeenLink): string =>
  [
    link.name,
    link.up,
    link.mtu,
    link.mac,
    link.master,
    link.hairpin,
    link.quiet,
    link.promiscuous,
    link.routeLocalnet,
  ].join(" ") + JSON.stringify(link.nature);

/** Tells what a notification of the host's own namespace means. Remembers our links by their index. */
function hostEar(
  isOwnPort: (port: number) => boolean,
  asked: WatchOptions["asked"],
): (message: Message) => Change | undefined {
  const links = new Map<number, SeenLink>();
  const neighbours = neighbourEar();
  /** By index, of links that are not ours: what the ways to other nodes depend on. */
  const strangers = new Map<number, string>();
  const isStrangerOther = (link: SeenLink): boolean => {
    const [before, now] = [strangers.get(link.index), `${link.up} ${link.mtu}`];
    strangers.set(link.index, now);
    return before !== undefined && before !== now;
  };
  /** A link of one attachment by its name; what serves many makes everything be looked at. */
  const at = (index: number): Change | undefined => {
    const link = links.get(index);
    if (link === undefined) return undefined;
    return OF_ONE.has(link.kind) ? { where: "host", link: link.name } : HOST_CHANGE;
  };
  const named = (link: SeenLink) => ({
    ...link,
    ...link.nature,
    // What a port is at first.
    quiet: link.quiet ?? false,
    master: link.master === undefined ? undefined : links.get(link.master)?.name,
  });
  /**
   * The kernel names no requester when a link goes up or changes: what we asked for is our own doing, and so is what
   * has not come to pass yet.
   */
  const isAsked = (link: SeenLink, before: SeenLink): boolean => {
    const want = asked(`link host ${link.name}`);
    return want?.type === "link" && agrees(want, named(link), named(before));
  };
  /** Bridges forget by themselves whom they have heard; the kernel names no requester here either. */
  const isForwardAsked = (message: Message, index: number): boolean => {
    const link = links.get(index)?.name ?? "";
    const entry = readForward(message, "host", link) ?? readPortMac(message, "host", link);
    return entry !== undefined && asked(identity(entry)) !== undefined;
  };
  const isVlanLost = ({ index, vlans }: VlanEntries, gone: boolean): boolean => {
    const port = links.get(index)?.name;
    return vlans.some(({ vid, flags }) => {
      const want = asked(`port-vlan host ${port} ${vid}`);
      return want?.type === "port-vlan" && (gone || want.pvid !== ((flags & VLAN_INFO.PVID) !== 0));
    });
  };

  return (message) => {
    const own = isOwnPort(message.port);
    switch (message.type) {
      case RTM_LINK.NEW: {
        const link = readLink(message);
        const before = links.get(link.index);
        if (before === undefined && !isOurs(link))
          return isStrangerOther(link) ? { where: "host", link: link.name } : undefined;
        links.set(link.index, link);
        const isKnown = own || before === undefined || lookOf(before) === lookOf(link) || isAsked(link, before);
        return isKnown ? undefined : at(link.index);
      }
      case RTM_LINK.DEL: {
        const { index } = linkAnswer.read(message.body).head;
        const change = own ? undefined : at(index);
        links.delete(index);
        neighbours.forget(index);
        strangers.delete(index);
        return change;
      }
      case RTM_ADDR.NEW:
      case RTM_ADDR.DEL: {
        const { index, scope } = addressMessage.read(message.body).head;
        if (own) return undefined;
        if (links.has(index)) return message.type === RTM_ADDR.DEL ? at(index) : undefined;
        // Every link has one of these, and nobody is found by it.
        return scope === RT_SCOPE.LINK ? undefined : ADDRESSES_CHANGE;
      }
      case RTM_NEIGH.NEW:
      case RTM_NEIGH.DEL: {
        if (!isOfBridge(message)) {
          const lost = neighbours.heard(message);
          return own || lost === undefined ? undefined : at(lost);
        }
        if (own || message.type === RTM_NEIGH.NEW) return undefined;
        const { index } = neighbourMessage.read(message.body).head;
        return isForwardAsked(message, index) ? at(index) : undefined;
      }
      case RTM_VLAN.NEW:
      case RTM_VLAN.DEL: {
        const entries = readVlans(message.body);
        return isVlanLost(entries, message.type === RTM_VLAN.DEL) ? at(entries.index) : undefined;
      }
      case RTM_ROUTE.NEW:
      case RTM_ROUTE.DEL: {
        const { head, attrs } = routeMessage.read(message.body);
        if (own) return undefined;
        if (head.protocol !== ROUTE_PROTOCOL)
          return head.toLength === 0 && head.table === RT_TABLE_MAIN ? ADDRESSES_CHANGE : undefined;
        if (message.type === RTM_ROUTE.NEW) return undefined;
        // One with a gateway may lie on a link that is not ours: it leads to another node.
        return (
          at(attrs.oif ?? 0) ?? (attrs.via === undefined && attrs.otherVia === undefined ? undefined : HOST_CHANGE)
        );
      }
      case RTM_RULE.DEL:
        return !own && isOwnPriority(readRule(message, "host")?.priority ?? 0) ? HOST_CHANGE : undefined;
      case RTM_QDISC.NEW:
      case RTM_QDISC.DEL:
      case RTM_FILTER.DEL:
        return own ? undefined : at(tcMessage.read(message.body).head.index);
      case RTM_NEWNETCONF: {
        const { index, forwarding } = netconfMessage.read(message.body).attrs;
        return index === ALL_LINKS && forwarding === 0 ? HOST_CHANGE : undefined;
      }
      default:
        return undefined;
    }
  };
}

/** Kinds of the host's links that one attachment has for itself. */
const OF_ONE: ReadonlySet<string> = new Set(["veth", "ifb"]);

const COMPARED = [
  "up",
  "mtu",
  "mac",
  "master",
  "hairpin",
  "quiet",
  "promiscuous",
  "routeLocalnet",
  "mode",
  "vlanFiltering",
] as const;

type Compared = Readonly<Partial<Record<(typeof COMPARED)[number], unknown>>>;

/** Whether everything of a link that has changed is as the fact wants it. */
const agrees = (want: LinkFact, link: Compared, before: Compared): boolean =>
  COMPARED.every((key) => want[key] === undefined || want[key] === link[key] || before[key] === link[key]);

const isAlone = (link: SeenLink): boolean => standsAlone(link.kind) && isOurs(link);
const isOfPod = (link: SeenLink): boolean => link.kind === "veth" || isAlone(link);

interface PodEar {
  /** Whether a notification of a pod's namespace tells of something that may be ours and is gone or changed. */
  tells(nsid: number, message: Message): boolean;
  /** A namespace loses its id before its links go, of which nobody is told then (net/core/net_namespace.c, cleanup_net). */
  forget(nsid: number): void;
}

function podEar(isOwnPort: (port: number) => boolean): PodEar {
  /** By namespace and link. */
  const looks = new Map<number, Map<number, string>>();
  const tells = (nsid: number, message: Message): boolean => {
    const own = isOwnPort(message.port);
    switch (message.type) {
      case RTM_LINK.NEW: {
        const link = readLink(message);
        if (!isOfPod(link)) return false;
        const known = looks.get(nsid) ?? new Map<number, string>();
        looks.set(nsid, known);
        const before = known.get(link.index);
        known.set(link.index, lookOf(link));
        return !own && (before === undefined ? !link.up : before !== lookOf(link));
      }
      case RTM_LINK.DEL: {
        const link = readLink(message);
        // What stands alone says itself that it was ours, however long ago it was made.
        return (looks.get(nsid)?.delete(link.index) === true || isAlone(link)) && !own;
      }
      case RTM_ROUTE.DEL:
        return !own && routeMessage.read(message.body).head.protocol === ROUTE_PROTOCOL;
      case RTM_RULE.DEL:
        return !own && isOwnPriority(readRule(message, "pod")?.priority ?? 0);
      case RTM_NEIGH.DEL:
        // Multicast addresses have entries of the kernel's own, which it lets go.
        return !own && neighbourMessage.read(message.body).head.state !== NUD_NOARP;
      case RTM_ADDR.DEL:
      case RTM_QDISC.DEL:
        return !own;
      default:
        return false;
    }
  };
  return { tells, forget: (nsid) => void looks.delete(nsid) };
}
