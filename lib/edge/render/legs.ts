/**
 * Ends of tunnels into tenants' networks (VyOS: interfaces vxlan, interfaces tunnel), each in the tenant's VRF. A VXLAN is a port of
 * the tenant's segment, whose other ends are the nodes; behind a GRE there are networks.
 */
import { type Family, family } from "#lib/address.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, GreSpec, LegSpec, RouterSpec, VxlanSpec } from "../router.ts";

export const legs = (spec: RouterSpec, view: EdgeView): Piece[] =>
  spec.legs.flatMap((leg) => [
    ...(leg.vxlan === undefined ? [] : [piece(spec, leg, "vxlan", vxlan(leg, leg.vxlan, view))]),
    ...(leg.gre === undefined ? [] : [piece(spec, leg, "tunnel", gre(leg, leg.gre))]),
  ]);

type Line = readonly (string | number)[];

function piece({ vrfs }: RouterSpec, leg: LegSpec, kind: "vxlan" | "tunnel", own: readonly Line[]): Piece {
  const { name, interface: link, addresses, vrf } = leg;
  const at = pathFrom("interfaces", kind, link);
  const lines: readonly Line[] = [
    ["description", `selvedge ${name}`],
    ...addresses.map((address) => ["address", address]),
    ...own,
    ...(vrf === undefined ? [] : [["vrf", vrf]]),
  ];
  const paths = lines.map((line) => pathFrom(...at, ...line));
  // One of the operator's is there already.
  const isOurs = vrfs.some((each) => each.name === vrf && each.table !== undefined);
  return { at, paths, ...(isOurs && vrf !== undefined ? { needs: [pathFrom("vrf", "name", vrf, "table")] } : {}) };
}

/** Outer Ethernet, IP, UDP and VXLAN headers (RFC 7348, section 5), bytes. */
const VXLAN_HEADERS = { 4: 50, 6: 70 } as const satisfies Record<Family, number>;
const ETHERNET_MTU = 1_500;

function vxlan({ mtu }: LegSpec, { vni, port, local, remotes }: VxlanSpec, view: EdgeView): Line[] {
  const of = family(local);
  const nodes = view.nodes.flatMap(({ addresses }) => addresses.find((each) => family(each) === of) ?? []);
  return [
    ["mtu", mtu ?? ETHERNET_MTU - VXLAN_HEADERS[of]],
    ["vni", vni],
    ["port", port],
    ["source-address", local],
    ...(remotes.length > 0 ? remotes : nodes).map((remote) => ["remote", remote]),
  ];
}

function gre({ mtu }: LegSpec, { local, remote, key }: GreSpec): Line[] {
  return [
    ["encapsulation", family(local) === 4 ? "gre" : "ip6gre"],
    ["source-address", local],
    ["remote", remote],
    ...(mtu === undefined ? [] : [["mtu", mtu]]),
    ...(key === undefined ? [] : [["parameters", "ip", "key", key]]),
  ];
}
