/**
 * The way of packets that leave the cluster by an address of their own: from the pod's node in VXLAN to the node that
 * holds the address, whatever the way is that pods' packets take between the two. Each name has a tunnel of its own, so
 * the holder knows by the device which address is meant.
 */
import { type Address, anyPrefix, type Family, family, hostPrefix, type Mac } from "#lib/address.ts";
import { type ChosenWay, overheadOf } from "#lib/cluster/ways.ts";
import { element } from "#lib/state/element.ts";
import type { AddressFact, ElementFact, Fact, LinkFact, RouteFact } from "#lib/state/fact.ts";
import { addressOfFamily, type Here } from "../ways/ends.ts";
import { underlayRoute } from "../ways/wireguard.ts";
import type { EgressPort } from "./chains.ts";
import { egressLink, markOf, ruleOf, tableOf } from "./names.ts";

/** Where packets of one family go: they leave here, or by another node, or nowhere. */
export type Exit =
  | { readonly kind: "here" }
  | { readonly kind: "node"; readonly way: ChosenWay; readonly mac: Mac }
  | { readonly kind: "nowhere" };

export interface EgressPath {
  readonly index: number;
  readonly port: EgressPort;
  /** Of the families that the addresses have. */
  readonly exits: Readonly<Partial<Record<Family, Exit>>>;
}

/** The other end within the tunnel: known to nobody but this device. */
const NEXT_HOP = { 4: "169.254.83.1" as Address, 6: "fe80::53" as Address } as const;
/** Every other route is better. */
const LAST_METRIC = 0x7fff_0000;

/** @param pathMtu of the link between the nodes, bytes */
export function egressFacts(
  here: Here,
  pathMtu: number,
  udpPort: number,
  { index, port: { name, vni }, exits }: EgressPath,
): Fact[] {
  const families = ([4, 6] as const).filter((of) => exits[of] !== undefined);
  const tunnels = ([4, 6] as const).flatMap(
    (underlay) => tunnel(here, underlay, { name, vni, udpPort, pathMtu }) ?? [],
  );
  return [
    ...tunnels,
    ...families.flatMap((of): Fact[] => {
      const exit = exits[of];
      if (exit === undefined || exit.kind === "here") return [];
      const nowhere: RouteFact = {
        type: "route",
        at: "host",
        to: anyPrefix(of),
        link: "lo",
        table: tableOf(index),
        metric: LAST_METRIC,
        unreachable: true,
      };
      return [nowhere, ...(exit.kind === "node" ? toNode(here, of, { name, index, exit }) : []), ruleOf(of, index)];
    }),
  ];
}

interface Tunnel {
  readonly name: string;
  readonly vni: number;
  readonly udpPort: number;
  readonly pathMtu: number;
}

/** Undefined without an address of that family. */
function tunnel(here: Here, underlay: Family, { name, vni, udpPort, pathMtu }: Tunnel): LinkFact | undefined {
  const local = addressOfFamily(here.encrypt ? here.tunnelAddresses : here.addresses, underlay);
  if (local === undefined) return undefined;
  const outer = here.encrypt ? family(here.addresses[0] ?? local) : underlay;
  return {
    type: "link",
    at: "host",
    name: egressLink(name, underlay),
    kind: "vxlan",
    up: true,
    mtu: pathMtu - overheadOf("vxlan", outer, here.encrypt, underlay),
    mac: here.tunnelMac,
    alias: `selvedge egress ${name}`,
    vxlan: { id: vni, port: udpPort, local },
    noIpv6LinkLocal: true,
  };
}

function toNode(
  here: Here,
  of: Family,
  { name, index, exit }: { name: string; index: number; exit: Extract<Exit, { kind: "node" }> },
): Fact[] {
  const { way, mac } = exit;
  const link = egressLink(name, family(way.to));
  return [
    ...(way.encrypted ? [underlayRoute(here, way)] : []),
    { type: "forward", at: "host", link, mac, to: way.to },
    { type: "neighbour", at: "host", link, address: NEXT_HOP[of], mac },
    {
      type: "route",
      at: "host",
      to: anyPrefix(of),
      link,
      via: NEXT_HOP[of],
      onlink: true,
      table: tableOf(index),
      mtu: way.mtuBytes,
    },
  ];
}

/** What a holder has besides. `validSeconds`: the kernel ends the address by itself then. */
export const heldAddress = (
  link: string,
  address: Address,
  { validSeconds, announce }: { readonly validSeconds: number; readonly announce: boolean },
): AddressFact => ({
  type: "address",
  at: "host",
  link,
  address: hostPrefix(address),
  noPrefixRoute: true,
  validSeconds,
  ...(announce ? { announce } : {}),
});

/** Makes packets leave under the address. */
export const heldElement = (index: number, address: Address): ElementFact =>
  element("inet", family(address) === 4 ? "egress_by4" : "egress_by6", [markOf(index)], [address]);

/** Pods that leave by the addresses at that place of the configuration. */
export const leavers = (pods: readonly Address[], index: number, addresses: readonly Address[]): ElementFact[] =>
  pods
    .filter((pod) => addresses.some((address) => family(address) === family(pod)))
    .map((pod) => element("inet", family(pod) === 4 ? "egress4" : "egress6", [pod], [markOf(index)]));
