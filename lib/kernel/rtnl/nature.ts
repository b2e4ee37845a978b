/** What makes a link the one that it is, by kind: written at its birth (IFLA_INFO_DATA) and read back. */
import type { IpvlanMode, LinkFact, MacvlanMode } from "#lib/state/fact.ts";
import type { VlanProtocol } from "#lib/state/vlan-protocol.ts";
import type { Nature } from "../nature.ts";
import {
  bridgeData,
  GRE_FLAG,
  greData,
  IP6_TNL_F_IGN_ENCAP_LIMIT,
  IPVLAN_MODE,
  ipvlanData,
  MACVLAN_MODE,
  macvlanData,
  TUN_TYPE_TAP,
  tunData,
  VLAN_PROTOCOL,
  vlanData,
  vxlanData,
} from "../netlink/link-data.ts";

/** As rtnetlink tells it. */
export interface SeenNature extends Nature {
  /** For bridge: the VLAN that the kernel gives a port when it joins; 0 is none. */
  readonly defaultPvid?: number;
  /** For vxlan: ifindex of the link that carries it. That of other kinds is in IFLA_LINK. */
  readonly carrier?: number;
}

/**
 * IFLA_INFO_DATA of a new link; absent where the kind has none. A bridge that filters VLANs gives its ports none by
 * itself: each is on those that its facts name, and on no other. `carrier` is for vxlan.
 */
export function natureOf(fact: LinkFact, carrier?: number): Uint8Array | undefined {
  switch (fact.kind) {
    case "bridge":
      if (fact.vlanFiltering === undefined) return undefined;
      return bridgeData.put({
        vlanFiltering: fact.vlanFiltering ? 1 : 0,
        ...(fact.vlanFiltering ? { defaultPvid: 0 } : {}),
      });
    case "macvlan":
      return macvlanData.put({
        ...(fact.mode === undefined ? {} : { mode: MACVLAN_MODE[fact.mode as MacvlanMode] }),
        ...(fact.broadcastQueue === undefined ? {} : { broadcastQueue: fact.broadcastQueue }),
      });
    case "ipvlan":
      return fact.mode === undefined ? undefined : ipvlanData.put({ mode: IPVLAN_MODE[fact.mode as IpvlanMode] });
    case "vlan":
      return fact.vlan && vlanData.put({ id: fact.vlan.id, protocol: VLAN_PROTOCOL[fact.vlan.protocol] });
    case "vxlan":
      return vxlanNature(fact, carrier);
    case "gretap":
    case "erspan":
      return fact.gre && greNature(fact.gre);
    case "gre":
    case "ip6gre":
      return fact.gre && keyedGreNature(fact.gre);
    default:
      return undefined;
  }
}

function vxlanNature({ vxlan }: LinkFact, carrier: number | undefined): Uint8Array | undefined {
  if (vxlan === undefined) return undefined;
  const { id, port, local, learning } = vxlan;
  return vxlanData.put({
    id,
    port,
    learning: learning ? 1 : 0,
    ...(carrier === undefined ? {} : { link: carrier }),
    ...(local === undefined ? {} : local.includes(":") ? { local6: local } : { local4: local }),
  });
}

/**
 * ERSPAN type II (version 1) numbers its packets; without a session it is plain GRE. Either way what is carried must not
 * be fragmented or not for its own sake: too large for the way, the outer packet is (IFLA_GRE_PMTUDISC, _IGNORE_DF).
 */
function greNature({ remote, session }: NonNullable<LinkFact["gre"]>): Uint8Array {
  const flags = GRE_FLAG.key | GRE_FLAG.sequence;
  return greData.put({
    remote,
    ttl: TTL,
    pathMtu: 0,
    ignoreDf: 1,
    ...(session === undefined
      ? {}
      : { inFlags: flags, outFlags: flags, inKey: session, outKey: session, erspanVersion: 1, erspanIndex: session }),
  });
}

function keyedGreNature({ remote, local, key }: NonNullable<LinkFact["gre"]>): Uint8Array {
  return greData.put({
    remote,
    ...(local === undefined ? {} : { local }),
    ttl: TTL,
    ...(remote.includes(":") ? { tunnelFlags: IP6_TNL_F_IGN_ENCAP_LIMIT } : {}),
    ...(key === undefined ? {} : { inFlags: GRE_FLAG.key, outFlags: GRE_FLAG.key, inKey: key, outKey: key }),
  });
}

/** Outer packets do not take the copied packet's time to live. */
const TTL = 64;

const named = <T extends string>(table: Readonly<Record<T, number>>, value: number | undefined): T | undefined =>
  (Object.keys(table) as T[]).find((name) => table[name] === value);

/** @throws RangeError */
export function readNature(kind: string, data: Uint8Array): SeenNature {
  switch (kind) {
    case "bridge": {
      const { vlanFiltering, defaultPvid } = bridgeData.get(data);
      return {
        ...(vlanFiltering === undefined ? {} : { vlanFiltering: vlanFiltering !== 0 }),
        ...(defaultPvid === undefined ? {} : { defaultPvid }),
      };
    }
    case "macvlan":
      return macvlanNature(data);
    case "ipvlan":
      return withMode(named(IPVLAN_MODE, ipvlanData.get(data).mode));
    case "vlan": {
      const { id = 0, protocol } = vlanData.get(data);
      return { vlan: { id, protocol: named<VlanProtocol>(VLAN_PROTOCOL, protocol) ?? "802.1Q" } };
    }
    case "vxlan": {
      const { id = 0, port = 0, link, local4, local6, learning = 0 } = vxlanData.get(data);
      const local = local4 ?? local6;
      return {
        vxlan: {
          id,
          port,
          ...(local === undefined ? {} : { local }),
          ...(learning === 0 ? {} : { learning: true }),
        },
        ...(link === undefined || link === 0 ? {} : { carrier: link }),
      };
    }
    case "gretap":
    case "erspan": {
      const { remote, outKey, outFlags = 0 } = greData.get(data);
      if (remote === undefined) return {};
      const session = (outFlags & GRE_FLAG.key) !== 0 ? outKey : undefined;
      return { gre: { remote, ...(session === undefined ? {} : { session }) } };
    }
    case "gre":
    case "ip6gre": {
      const { remote, local, outKey, outFlags = 0 } = greData.get(data);
      if (remote === undefined) return {};
      const key = (outFlags & GRE_FLAG.key) !== 0 ? outKey : undefined;
      return { gre: { remote, ...(local === undefined ? {} : { local }), ...(key === undefined ? {} : { key }) } };
    }
    case "tap": {
      const { owner, group, multiQueue = 0 } = tunData.get(data);
      return {
        tap: {
          ...(owner === undefined ? {} : { owner }),
          ...(group === undefined ? {} : { group }),
          multiQueue: multiQueue !== 0,
        },
      };
    }
    default:
      return {};
  }
}

function macvlanNature(data: Uint8Array): Nature {
  const { mode, broadcastQueue } = macvlanData.get(data);
  return { ...withMode(named(MACVLAN_MODE, mode)), ...(broadcastQueue === undefined ? {} : { broadcastQueue }) };
}

const withMode = (mode: LinkFact["mode"]): Nature => (mode === undefined ? {} : { mode });

/** rtnetlink has one kind, `tun`, for two. */
export const kindOfTun = (data: Uint8Array | undefined): "tap" | "tun" =>
  data !== undefined && tunData.get(data).type === TUN_TYPE_TAP ? "tap" : "tun";
