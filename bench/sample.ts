/** The facts of attachments like those of the plugins' subjects, made by the same pure functions as in the daemon. */
import { address, type Prefix, prefix } from "#lib/address.ts";
import { assemble } from "#lib/attach/assemble.ts";
import { plan } from "#lib/attach/kinds.ts";
import { hostLinkName, linkAlias, podMac } from "#lib/attach/names.ts";
import { root } from "#lib/parse.ts";
import type { Fact } from "#lib/state/fact.ts";

/** `dual`: links, addresses, routes and neighbours only. `full`: all that an attachment can have. Both are dual stack. */
export const SHAPES = ["dual", "full"] as const;
export type Shape = (typeof SHAPES)[number];

/** Bytes; that of the path on most nodes. */
const MTU = 1_500;
const SUBNETS = ["10.20.0.0/16", "fd00:20::/64"] as const;

/** What the node's tables leave unmasqueraded. */
export const NO_MASQUERADE: readonly Prefix[] = SUBNETS.map((subnet) => prefix(subnet));

/** @param number below 60,000; two attachments that live at the same time differ in it */
export function factsOf(shape: Shape, containerId: string, number: number): readonly Fact[] {
  const key = { containerId, ifname: "eth0" };
  const last = number + 2;
  const full = shape === "full";
  const rate = { ingressRate: 100_000_000, ingressBurst: 8_000_000, egressRate: 100_000_000, egressBurst: 8_000_000 };
  const ports = [0, 1].map((n) => ({
    hostPort: 20_000 + (2 * number + n),
    containerPort: 8_080 + n,
    protocol: "tcp" as const,
  }));
  return assemble(
    plan("ptp", root({})),
    {
      ...key,
      hostLink: hostLinkName(key),
      alias: linkAlias(key),
      mac: podMac(key),
      addresses: [
        { address: prefix(`10.20.${last >> 8}.${last & 255}/16`), gateway: address("10.20.0.1") },
        { address: prefix(`fd00:20::${last.toString(16)}/64`), gateway: address("fd00:20::1") },
      ],
      routes: [],
      mtu: MTU,
    },
    {
      masquerade: full,
      spoofProtection: full,
      portMappings: full ? ports : [],
      ...(full ? { bandwidth: rate } : {}),
    },
  ).facts;
}
