/**
 * From settings and addresses to the attachment as a value: its facts and its result. Pure; the one place where
 * attachment types, add-ons and results meet.
 */
import { addressOf, lengthOf, type Mac, type Prefix } from "#lib/address.ts";
import type { Wishes } from "#lib/attach/add-ons.ts";
import { assemble } from "#lib/attach/assemble.ts";
import { chained } from "#lib/attach/chained.ts";
import { macOf } from "#lib/attach/device.ts";
import { parseDuplicateCheck } from "#lib/attach/duplicate-check.ts";
import type { Attached, Carrier, PodAddress, PodRoute } from "#lib/attach/kind.ts";
import { hostLinkName, linkAlias, podMac, stationMac } from "#lib/attach/names.ts";
import { routedApart } from "#lib/attach/plane-routing.ts";
import type { Dns, NetConf, Result, ResultRoute } from "#lib/cni/types.ts";
import { capped, effectiveBandwidth, type ShapedPlane } from "#lib/datapath/totals.ts";
import { refuseNarrow } from "#lib/least-mtu.ts";
import type { Device } from "#lib/state/device.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import type { AttachmentKey } from "#lib/store/store.ts";
import type { Probe } from "./duplicates.ts";
import type { Plane } from "./planes.ts";

export interface Decided {
  readonly facts: readonly Fact[];
  readonly result: Result;
  /** What a total over all interfaces of the pod takes of this one. */
  readonly shaped?: ShapedPlane;
  /** The addresses are to be looked for on the wire before they are used. */
  readonly probe?: Probe;
}

export interface Given {
  readonly addresses: readonly PodAddress[];
  /** Routes that came with the addresses, before the network's own. Absent: nobody said anything of routes. */
  readonly routes?: readonly PodRoute[];
  /** That of its reservation. */
  readonly mac?: Mac;
  readonly dns: Dns;
}

export interface Where {
  readonly netns: string;
  readonly pathMtu: number;
  /** What that is: for links whose MTU follows it. */
  readonly mtuFrom: NonNullable<LinkFact["mtuFrom"]>;
  /** The pod's namespace is the node's own (CNI_NETNS_OVERRIDE). */
  readonly ownNamespace: boolean;
  /** How many interfaces of ours the container had before. */
  readonly rank: number;
  /** The pod's interfaces are held to a total together. */
  readonly held: boolean;
  /** The parent of the attachment's link, for types that have one. */
  readonly carrier?: Carrier;
  /** The device that it takes, for types that take one. */
  readonly device?: Device;
}

/** One interface of an attachment, decided. @throws SelvedgeError config-invalid, unsupported-field */
export function decide(
  { key, conf, settings, slot, defaultRoute, gateways = [], leaving }: Plane,
  given: Given,
  where: Where,
): Decided {
  const { carrier, device, mtuFrom } = where;
  const followsPath = settings.mtu === undefined && carrier === undefined && device === undefined;
  const mtu = settings.mtu ?? carrier?.mtu ?? device?.link?.mtu ?? where.pathMtu;
  refuseNarrow(
    mtu,
    given.addresses.map(({ address }) => address),
  );
  const attached: Omit<Attached, "published"> = {
    containerId: key.containerId,
    ifname: key.ifname,
    hostLink: hostLinkName(key),
    alias: linkAlias(key),
    mac:
      conf.wishes.mac ??
      given.mac ??
      ofSegment(settings, given) ??
      settings.plan.mac(carrier) ??
      (device && macOf(device)) ??
      podMac(key),
    addresses: given.addresses,
    ...(given.routes === undefined && settings.routes.length === 0
      ? {}
      : { routes: [...(given.routes ?? []), ...settings.routes] }),
    mtu,
    ...(carrier === undefined ? {} : { carrier }),
    ...(device === undefined ? {} : { device }),
  };
  const bandwidth = effectiveBandwidth(conf.wishes.bandwidth, settings.qos);
  const assembled = assemble(settings.plan, attached, {
    masquerade: settings.ipMasq,
    ...(leaving === undefined ? {} : { leaving }),
    spoofProtection: settings.spoofProtection,
    ...(conf.spoofProtection === true ? { spoofProtectionAsked: true } : {}),
    portMappings: conf.wishes.portMappings,
    ...(bandwidth === undefined ? {} : { bandwidth }),
    qos: settings.qos,
    held: where.held,
  });
  const alone = where.ownNamespace || (slot === undefined && defaultRoute === undefined);
  const built = alone
    ? assembled
    : routedApart(assembled, {
        ifname: key.ifname,
        addresses: given.addresses,
        ...(slot === undefined ? {} : { slot }),
        ...(defaultRoute === undefined ? {} : { defaultRoute }),
        gateways,
      });
  const host = built.hostInterfaces;
  const inPod = built.podInterface ?? { name: key.ifname, mac: attached.mac, mtu };
  const pace =
    built.underlay === true && settings.stretched === undefined ? parseDuplicateCheck(settings.options) : undefined;
  return {
    facts: [...built.shared, ...built.facts]
      .flatMap((fact) => placed(fact, where))
      .map((fact) => (followsPath && fact.type === "link" && fact.mtu === mtu ? { ...fact, mtuFrom } : fact)),
    result: {
      interfaces: [
        ...host,
        { ...inPod, ...(built.pciId === undefined ? {} : { pciID: built.pciId }), sandbox: where.netns },
      ],
      ips: built.ips.map((ip) => ({ ...ip, interface: host.length })),
      routes: where.ownNamespace ? [] : built.routes.map((route) => resultRoute(ranked(route, where))),
      dns: given.dns,
    },
    ...(built.shaped === undefined ? {} : { shaped: built.shaped }),
    ...(pace === undefined ? {} : { probe: { link: key.ifname, pace } }),
  };
}

function ofSegment({ stretched }: Plane["settings"], { addresses: [first] }: Given): Mac | undefined {
  return stretched === undefined || first === undefined ? undefined : stationMac(stretched, addressOf(first.address));
}

/** Default routes of later interfaces come after the first one's: the kernel takes the lowest metric. */
const RANK_METRIC = 1_024;

const ranked = <T extends { readonly to: Prefix; readonly metric?: number }>(route: T, { rank }: Where): T =>
  rank === 0 || route.metric !== undefined || lengthOf(route.to) > 0 ? route : { ...route, metric: RANK_METRIC + rank };

/** In the node's own namespace an attachment takes no routes: they would be the node's. */
function placed(fact: Fact, where: Where): Fact[] {
  if (fact.type !== "route" || fact.at !== "pod") return [fact];
  return where.ownNamespace ? [] : [ranked(fact, where)];
}

/** Behind another plugin: its result is passed on, and only what is asked for is added. @throws SelvedgeError config-invalid */
export function decideChained(
  key: AttachmentKey,
  conf: NetConf,
  previous: Result,
  leaving: Wishes["leaving"],
): Decided {
  const network = effectiveBandwidth(conf.wishes.bandwidth, conf.qos);
  const bandwidth = conf.podQos === undefined ? network : capped(network ?? {}, conf.podQos);
  const wanted = chained(previous, key, {
    masquerade: conf.ipMasq ?? false,
    ...(leaving === undefined ? {} : { leaving }),
    // The link is another plugin's: what it lets through is that plugin's business unless it is asked for.
    spoofProtection: conf.spoofProtection ?? false,
    portMappings: conf.wishes.portMappings,
    ...(bandwidth === undefined ? {} : { bandwidth }),
    ...(conf.qos === undefined ? {} : { qos: conf.qos }),
  });
  return { facts: [...wanted.shared, ...wanted.facts], result: previous };
}

const resultRoute = ({ to, via, metric, ...rest }: PodRoute): ResultRoute => ({
  dst: to,
  ...(via === undefined ? {} : { gw: via }),
  ...rest,
  ...(metric === undefined ? {} : { priority: metric }),
});
