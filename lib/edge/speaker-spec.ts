/** Which sessions FRR on a node has, from the routers of the configuration: those whose addresses it is told. */
import { type Address, contains, type Family, family, hostPrefix, type Prefix } from "#lib/address.ts";
import { servedPools } from "./render/served.ts";
import type { BgpSpec, EdgeView, RouterSpec } from "./router.ts";
import { familiesOver, type NeighbourSpec, type SpeakerSpec } from "./speaker.ts";
import { summary } from "./summary.ts";

/** What of a router FRR is told by. */
export type CalledRouter = Pick<RouterSpec, "name" | "pools" | "bgp">;

export interface Speaking {
  readonly pools: EdgeView["pools"];
  /** The node's, the preferred of each family first. */
  readonly addresses: readonly Address[];
  /** Networks that the node is on. */
  readonly segments: readonly Prefix[];
  /** By which pods leave, on any node. */
  readonly egress: readonly Address[];
}

type Timing = Pick<SpeakerSpec, "holdSeconds" | "restartSeconds">;

/** Undefined where no router has an address to call. */
export function speakerSpec(routers: readonly CalledRouter[], node: Speaking, timing: Timing): SpeakerSpec | undefined {
  const called = routers.flatMap((router) =>
    router.bgp === undefined || router.bgp.addresses.length === 0 ? [] : [{ router, bgp: router.bgp }],
  );
  const [first] = called;
  if (first === undefined) return undefined;
  return {
    as: nodesAs(first.bgp),
    neighbours: called.flatMap(({ router, bgp }) => neighbours(router, bgp, node)),
    multipath: Math.max(...called.map(({ bgp }) => bgp.multipath)),
    holdSeconds: timing.holdSeconds,
    ...(timing.restartSeconds === undefined ? {} : { restartSeconds: timing.restartSeconds }),
  };
}

/** Names of pools that any of the routers is told of. */
export const spokenPools = (routers: readonly CalledRouter[], pools: EdgeView["pools"]): Set<string> =>
  new Set(
    routers
      .filter(({ bgp }) => bgp !== undefined && bgp.addresses.length > 0)
      .flatMap((router) => servedPools(router, { pools }).map(({ name }) => name)),
  );

/** lib/config refuses `external` where a router has addresses. */
const nodesAs = ({ as, nodesAs: theirs }: BgpSpec): number => (typeof theirs === "number" ? theirs : as);

/** Where a router has addresses on many networks, it is called by those that the node is on, too. */
function neighbours(
  router: CalledRouter,
  bgp: BgpSpec,
  { pools, addresses, segments, egress }: Speaking,
): NeighbourSpec[] {
  const served = servedPools(router, { pools }).flatMap(({ prefixes }) => prefixes);
  const serves = [...summary(served), ...egress.map(hostPrefix)];
  const spoken = new Set<Family>(serves.map(family));
  const near = bgp.addresses.filter((address) => segments.some((segment) => contains(segment, address)));
  const called = near.length > 0 ? near : bgp.addresses;
  return called.map((address) => {
    // The router knows the node by this address, unless it takes calls from anywhere in a range.
    const source = bgp.listen.length > 0 ? undefined : addresses.find((each) => family(each) === family(address));
    return {
      router: router.name,
      address,
      as: bgp.as,
      families: familiesOver(address, called).filter((of) => spoken.has(of)),
      ...(bgp.password === undefined ? {} : { password: bgp.password }),
      bfd: bgp.bfd !== undefined,
      ...(bgp.multihop === undefined ? {} : { multihop: bgp.multihop }),
      ...(source === undefined ? {} : { source }),
      serves,
      givesDefault: bgp.defaultRoute,
    };
  });
}
