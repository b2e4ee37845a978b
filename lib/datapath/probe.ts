/**
 * How the node reaches a tenant's pod though others have the same address: by an address of the node's own, one for each
 * pod and family, which the tenant's router translates one to one. Probes of a kubelet and host ports go this way.
 */
import { createHash } from "node:crypto";
import {
  type Address,
  addressOf,
  contains,
  family,
  fromNumber,
  hostPrefix,
  lengthOf,
  type Prefix,
  rangeOf,
} from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { element } from "#lib/state/element.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { Transfer } from "./transfer.ts";
import { ROUTER_MAC, uplinkName } from "./uplink.ts";

/**
 * A network that the node reaches elsewhere must not lie in a range of the routers'; the node's own wider route does no
 * harm. @throws SelvedgeError config-invalid
 */
export function refuseRouted(field: string, ranges: readonly Prefix[], routes: readonly Prefix[]): void {
  const isUsed = (to: Prefix) => NEVER.some((p) => contains(p, addressOf(to)) && lengthOf(to) >= lengthOf(p));
  for (const range of ranges)
    for (const to of routes)
      if (lengthOf(to) >= lengthOf(range) && contains(range, addressOf(to)) && !isUsed(to))
        throw new SelvedgeError(
          { kind: "config-invalid", field },
          `${field}: ${range} holds ${to}, which the node has a route to; choose a range that it does not use`,
        );
}

/** A pod's address, and the one that leads to it on the node. */
export interface Probe {
  readonly pod: Address;
  readonly probe: Address;
}

/** Inside the usual range and used by others: metadata and credentials of clouds, and what RFC 3927 2.1 reserves. */
const NEVER = ["169.254.169.0/24", "169.254.170.0/24", "169.254.254.0/24", "169.254.255.0/24"] as Prefix[];
const MOST_TRIES = 4_096n;

/**
 * The address of the node for one address of a pod: it follows from the attachment's key, unless another has it.
 * @throws SelvedgeError config-invalid: no range of the pod's family; pool-exhausted
 */
export function probeAddress(
  key: { readonly containerId: string; readonly ifname: string },
  pod: Address,
  { ranges, isTaken }: { readonly ranges: readonly Prefix[]; readonly isTaken: (address: Address) => boolean },
): Address {
  const of = family(pod);
  const range = ranges.find((r) => family(r) === of);
  if (range === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "routers.probeRanges" },
      `routers.probeRanges: a tenant's pod has the IPv${of} address ${pod}, and there is no range of that family`,
    );
  const { first, last } = rangeOf(range);
  const size = last - first + 1n;
  const start = hash(key.containerId, key.ifname) % size;
  for (let i = 0n; i < size && i < MOST_TRIES; i++) {
    const found = fromNumber(first + ((start + i) % size), of);
    if (!NEVER.some((p) => contains(p, found)) && !isTaken(found)) return found;
  }
  throw new SelvedgeError(
    { kind: "pool-exhausted", pool: "routers.probeRanges" },
    `routers.probeRanges: no address of ${range} is free for probes`,
  );
}

const hash = (...parts: readonly string[]): bigint =>
  createHash("sha256")
    .update(`probe\0${parts.join("\0")}`)
    .digest()
    .readBigUInt64BE();

export interface Probed {
  readonly tenant: string;
  readonly transfer: Transfer;
  readonly probes: readonly Probe[];
}

/** On the node: the way to the pod, and the pod's answers by the uplink. */
export const probeFactsOfNode = ({ tenant, transfer, probes }: Probed): Fact[] =>
  probes.flatMap(({ probe }): Fact[] => {
    const ends = transfer.find((t) => t.family === family(probe));
    if (ends === undefined) return [];
    const link = uplinkName(tenant);
    const allowed = family(probe) === 4 ? "allowed4" : "allowed6";
    return [
      { type: "route", at: "host", to: hostPrefix(probe), link, via: ends.router, source: ends.node },
      element("inet", allowed, [link, ROUTER_MAC, probe]),
    ];
  });

/** The uplink that such facts count on. */
export function transferIn(facts: readonly Fact[], tenant: string): Transfer {
  const uplink = uplinkName(tenant);
  return facts.flatMap((fact) =>
    fact.type === "route" && fact.link === uplink && fact.via !== undefined && fact.source !== undefined
      ? [{ family: family(fact.via), node: fact.source, router: fact.via }]
      : [],
  );
}

/** In the router. */
export const probeElements = (probes: readonly Probe[]): ElementFact[] =>
  probes.map(({ pod, probe }) => element("inet", family(probe) === 4 ? "probe4" : "probe6", [probe], [pod]));

/** The probes that facts of a router hold. */
export const probesIn = (facts: readonly Fact[]): Probe[] =>
  facts.flatMap((fact) =>
    fact.type === "element" && (fact.set === "probe4" || fact.set === "probe6")
      ? [{ probe: (fact.key[0] ?? "") as Address, pod: (fact.value?.[0] ?? "") as Address }]
      : [],
  );
