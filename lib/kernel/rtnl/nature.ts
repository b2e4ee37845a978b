/** What makes a link the one that it is, by kind: written at its birth (IFLA_INFO_DATA), read back, compared. */
import type { IpvlanMode, LinkFact, MacvlanMode, VlanProtocol } from "#lib/state/fact.ts";
import {
  bridgeData,
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

export interface Nature extends Pick<LinkFact, "mode" | "vlan" | "tap" | "vxlan" | "vlanFiltering"> {
  /** For bridge: the VLAN that the kernel gives a port when it joins; 0 is none. */
  readonly defaultPvid?: number;
  /** For vxlan: ifindex of the link that carries it. That of other kinds is in IFLA_LINK. */
  readonly carrier?: number;
}

/** Kinds of links that another one carries, by one message with its ifindex. */
const CARRIED: ReadonlySet<string> = new Set(["macvlan", "ipvlan", "vlan"] satisfies LinkFact["kind"][]);
export const isCarried = (kind: string): boolean => CARRIED.has(kind);

/** Kinds that stand in a pod without a host's end: they are ours by their group alone. */
const ALONE: ReadonlySet<string> = new Set([...CARRIED, "tap", "vxlan"]);
export const standsAlone = (kind: string): boolean => ALONE.has(kind);

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
      return fact.mode === undefined ? undefined : macvlanData.put({ mode: MACVLAN_MODE[fact.mode as MacvlanMode] });
    case "ipvlan":
      return fact.mode === undefined ? undefined : ipvlanData.put({ mode: IPVLAN_MODE[fact.mode as IpvlanMode] });
    case "vlan":
      return fact.vlan && vlanData.put({ id: fact.vlan.id, protocol: VLAN_PROTOCOL[fact.vlan.protocol] });
    case "vxlan":
      return vxlanNature(fact, carrier);
    default:
      return undefined;
  }
}

function vxlanNature({ vxlan }: LinkFact, carrier: number | undefined): Uint8Array | undefined {
  if (vxlan === undefined) return undefined;
  const { id, port, local } = vxlan;
  return vxlanData.put({
    id,
    port,
    learning: 0,
    ...(carrier === undefined ? {} : { link: carrier }),
    ...(local === undefined ? {} : local.includes(":") ? { local6: local } : { local4: local }),
  });
}

const named = <T extends string>(table: Readonly<Record<T, number>>, value: number | undefined): T | undefined =>
  (Object.keys(table) as T[]).find((name) => table[name] === value);

/** @throws RangeError */
export function readNature(kind: string, data: Uint8Array): Nature {
  switch (kind) {
    case "bridge": {
      const { vlanFiltering, defaultPvid } = bridgeData.get(data);
      return {
        ...(vlanFiltering === undefined ? {} : { vlanFiltering: vlanFiltering !== 0 }),
        ...(defaultPvid === undefined ? {} : { defaultPvid }),
      };
    }
    case "macvlan":
      return withMode(named(MACVLAN_MODE, macvlanData.get(data).mode));
    case "ipvlan":
      return withMode(named(IPVLAN_MODE, ipvlanData.get(data).mode));
    case "vlan": {
      const { id = 0, protocol } = vlanData.get(data);
      return { vlan: { id, protocol: named<VlanProtocol>(VLAN_PROTOCOL, protocol) ?? "802.1Q" } };
    }
    case "vxlan": {
      const { id = 0, port = 0, link, local4, local6 } = vxlanData.get(data);
      const local = local4 ?? local6;
      return {
        vxlan: { id, port, ...(local === undefined ? {} : { local }) },
        ...(link === undefined || link === 0 ? {} : { carrier: link }),
      };
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

const withMode = (mode: LinkFact["mode"]): Nature => (mode === undefined ? {} : { mode });

/** rtnetlink has one kind, `tun`, for two. */
export const kindOfTun = (data: Uint8Array | undefined): "tap" | "tun" =>
  data !== undefined && tunData.get(data).type === TUN_TYPE_TAP ? "tap" : "tun";

/** Whether a link is what the fact wants in all that cannot be changed after its birth. */
export function isSameNature(want: LinkFact, { mode, vlan, vxlan, tap }: Nature): boolean {
  return (
    (want.mode === "passthru") === (mode === "passthru") &&
    agree(want.vlan, vlan) &&
    agree(want.vxlan, vxlan) &&
    agree(want.tap, tap)
  );
}

const agree = <T extends object>(want: T | undefined, have: T | undefined): boolean =>
  want === undefined || JSON.stringify(want) === JSON.stringify(asAsked(want, have));

/** The members that `want` names, in its order, with the values of `have`: facts are compared as they are written. */
export const asAsked = <T extends object>(want: T, have: T | undefined): T =>
  Object.fromEntries(Object.keys(want).map((key) => [key, have?.[key as keyof T]])) as T;
