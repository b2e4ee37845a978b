/**
 * GRE (RFC 2784) with a key (RFC 2890): a device for each peer, so that the kernel itself takes nothing from anybody else
 * and each has the MTU of its own way.
 */
import { type Address, family } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import type { Fact } from "#lib/state/fact.ts";
import { addressOfFamily, type Here, type Stretch, type There, tunnelRoute } from "./ends.ts";
import { greLink } from "./names.ts";
import { underlayRoute } from "./wireguard.ts";

export function greFacts(here: Here, { name }: There, { way, prefixes }: Stretch): Fact[] {
  const underlay = family(way.to);
  const link = greLink(name, underlay);
  const local = localEnd(here, way);
  return [
    ...(way.encrypted ? [underlayRoute(here, way)] : []),
    {
      type: "link",
      at: "host",
      name: link,
      kind: underlay === 4 ? "gre" : "ip6gre",
      up: true,
      mtu: way.mtuBytes,
      alias: `selvedge way ${name}`,
      gre: { remote: way.to, ...(local === undefined ? {} : { local }), key: here.gre.key },
      noIpv6LinkLocal: true,
    },
    ...prefixes.map((to) => tunnelRoute(here, to, link, way.mtuBytes)),
  ];
}

const localEnd = (here: Here, way: ChosenWay): Address | undefined =>
  way.encrypted ? addressOfFamily(here.tunnelAddresses, family(way.to)) : way.egress.source;
