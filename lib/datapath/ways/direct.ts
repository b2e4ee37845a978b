/** Without a tunnel: the other node, or who leads to it, is the next hop. */
import type { RouteFact } from "#lib/state/fact.ts";
import { by, type Stretch } from "./ends.ts";

/** Within a segment the MTU is that of the device, which the kernel follows by itself, unless the other node's is smaller. */
export const directFacts = ({ way: { to: via, egress, mtuBytes }, prefixes }: Stretch): RouteFact[] =>
  prefixes.map((to) => ({
    type: "route",
    at: "host",
    to,
    link: egress.link,
    ...by(via, to),
    ...(egress.via === undefined && mtuBytes === egress.mtuBytes ? {} : { mtu: mtuBytes }),
  }));
