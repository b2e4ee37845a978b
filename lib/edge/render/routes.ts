/** Static routes to pods' addresses, and to those by which pods leave (VyOS: protocols static). */
import { type Address, type Family, family, hostPrefix, type Prefix } from "#lib/address.ts";
import { overlaps, whyNot } from "../connected.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeNode, EdgeView, RouterSpec, StaticSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { staticAt } from "./static-at.ts";
import { OWN, type Table, tables } from "./tables.ts";

export function routes(spec: RouterSpec & { readonly static: StaticSpec }, view: EdgeView): Piece[] {
  const living = view.nodes.filter(({ isAlive }) => isAlive);
  return [
    ...tables(spec, view).flatMap((table) => tableRoutes(spec, table, living)),
    ...egressRoutes(spec.static, view, living),
  ];
}

function tableRoutes(
  spec: RouterSpec & { readonly static: StaticSpec },
  { vrf, pools }: Table,
  living: readonly EdgeNode[],
): Piece[] {
  const names = new Set(pools.map(({ name }) => name));
  const found = overlaps(spec.connected ?? [], pools, vrf);
  const route = (to: Prefix, by: readonly Address[]): Piece[] => routed(to, by, spec.static, vrf, whyNot(found, to));
  if (spec.static.routes === "pools") {
    const by = (of: Family) => living.flatMap((node) => addressOf(node, of) ?? []);
    const gateways = { 4: by(4), 6: by(6) };
    return summary(pools.flatMap(({ prefixes }) => prefixes)).flatMap((to) => route(to, gateways[family(to)]));
  }
  const gateways = new Map<Prefix, Address[]>();
  for (const node of living)
    for (const to of summary(node.destinations.filter(({ pool }) => names.has(pool)).map(({ prefix }) => prefix))) {
      const gateway = addressOf(node, family(to));
      if (gateway !== undefined) gateways.set(to, [...(gateways.get(to) ?? []), gateway]);
    }
  return [...gateways].flatMap(([to, by]) => route(to, by));
}

/** Answers find the node that has the address, wherever that is. */
const egressRoutes = (spec: StaticSpec, { egress }: EdgeView, living: readonly EdgeNode[]): Piece[] =>
  egress.flatMap(({ address, node }) => {
    const holder = living.find(({ name }) => name === node);
    const gateway = holder && addressOf(holder, family(address));
    return gateway === undefined ? [] : routed(hostPrefix(address), [gateway], spec, spec.vrf);
  });

const addressOf = ({ addresses }: EdgeNode, of: Family): Address | undefined =>
  addresses.find((address) => family(address) === of);

/** Nothing where nobody leads there. */
function routed(
  to: Prefix,
  gateways: readonly Address[],
  spec: StaticSpec,
  vrf: string | undefined,
  unlessHeld?: string,
): Piece[] {
  if (gateways.length === 0) return [];
  const at = staticAt(to, vrf);
  const paths = gateways.flatMap((gateway) => hop([...at, "next-hop", gateway], spec, vrf));
  return [{ at, paths, ...(unlessHeld === undefined ? {} : { unlessHeld }) }];
}

/** @param vrf of the route; nodes are reached in that of `static` */
function hop(at: Path, { distance, bfd, vrf: nodes }: StaticSpec, vrf: string | undefined): Path[] {
  const more = [
    ...(distance === undefined ? [] : [pathFrom(...at, "distance", distance)]),
    ...(bfd === undefined ? [] : [bfd === true ? pathFrom(...at, "bfd") : pathFrom(...at, "bfd", "profile", bfd)]),
    ...(nodes === vrf ? [] : [pathFrom(...at, "vrf", nodes ?? OWN)]),
  ];
  return more.length === 0 ? [at] : more;
}
