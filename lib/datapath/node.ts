/** What the node needs as a whole, whatever is attached. */
import type { Fact, SysctlFact } from "#lib/state/fact.ts";
import { type Node, tables } from "./tables.ts";

export interface NodeOptions extends Node {
  /**
   * Links that take their address or routes from router advertisements. A node that forwards ignores those unless it is
   * told otherwise (Documentation/networking/ip-sysctl.rst, accept_ra: 2 is "even if forwarding").
   */
  readonly routerAdvertisedLinks: readonly string[];
}

/** `accept_ra` comes before `forwarding`, which would make the kernel forget what routers have told. */
export const nodeFacts = (node: NodeOptions): Fact[] => [
  ...node.routerAdvertisedLinks.map((link) => sysctl(`net/ipv6/conf/${link}/accept_ra`, "2")),
  sysctl("net/ipv4/ip_forward", "1"),
  sysctl("net/ipv6/conf/all/forwarding", "1"),
  ...tables(node),
];

const sysctl = (key: string, value: string): SysctlFact => ({ type: "sysctl", at: "host", key, value });
