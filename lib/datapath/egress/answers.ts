/**
 * The way back of what pods ask the world outside for, where everything between the nodes travels in WireGuard: that takes
 * from a node nothing but what this node's own pods send, and an answer is somebody else's. So it goes in VXLAN within
 * WireGuard, from the node that holds the address to the node of the pod, by routes that nothing but answers looks up.
 */
import { type Address, address, addressOf, type Family, family, type Mac } from "#lib/address.ts";
import type { Fact, RuleFact } from "#lib/state/fact.ts";
import { by, type Here, type Stretch, type There, tunnelRoute } from "../ways/ends.ts";
import { vxlanLink } from "../ways/names.ts";
import { underlayRoute } from "../ways/wireguard.ts";
import { ANSWERS, ANSWERS_TABLE, MARK_MASK, markOf, ruleOf } from "./names.ts";

/** @param addresses by which pods leave */
export const answersRules = (addresses: readonly Address[]): RuleFact[] =>
  ([4, 6] as const).filter((of) => addresses.some((each) => family(each) === of)).map((of) => ruleOf(of, ANSWERS));

/**
 * One other node as the other end. Its networks are reached by WireGuard as well, and Linux takes no IPv6 gateway by one
 * device that another leads to (net/ipv6/route.c, ip6_route_check_nh_onlink, v6.12): so that is of the link alone.
 */
export function answersFacts(here: Here, { tunnelMac: mac }: There, { way, prefixes }: Stretch): Fact[] {
  const link = vxlanLink(family(way.to));
  return [
    underlayRoute(here, way),
    { type: "forward", at: "host", link, mac, to: way.to },
    ...prefixes.flatMap((to): Fact[] => {
      const gateway = family(to) === 4 ? addressOf(to) : onLink(mac);
      return [
        { type: "neighbour", at: "host", link, address: gateway, mac },
        {
          ...tunnelRoute(here, to, link, way.mtuBytes),
          ...by(gateway, to),
          onlink: true,
          table: ANSWERS_TABLE,
        },
      ];
    }),
  ];
}

/** A link-local address that only one MAC address has: its six bytes are the last. */
const onLink = (mac: Mac): Address => address(`fe80::${mac.replaceAll(":", "").replace(/(....)(....)/, "$1:$2:")}`);

const IP = { 4: "ip", 6: "ip6" } as const satisfies Record<Family, string>;

/** For a chain before routing: the answers are those to connections that were translated to one of the addresses. */
export const answersMarked = (addresses: readonly Address[]): string[] =>
  ([4, 6] as const).flatMap((of) => {
    const own = addresses.filter((each) => family(each) === of);
    if (own.length === 0) return [];
    return [`ct direction reply ct reply ${IP[of]} daddr { ${own.join(", ")} } meta mark set ${markOf(ANSWERS)}`];
  });

/** For a chain behind it: the tunnel is not to look up its own route by the mark of what it carries. */
export const ANSWERS_LEFT = `oifname { "${vxlanLink(4)}", "${vxlanLink(6)}" } meta mark & 0x${MARK_MASK.toString(16)} ${markOf(ANSWERS)} meta mark set meta mark & 0x00ffffff`;
