/** What can be read off an attachment's record. */
import { type Address, addressOf } from "#lib/address.ts";
import type { Result } from "#lib/cni/types.ts";
import type { Scope } from "#lib/kernel/kernel.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { isHostPort } from "./contested.ts";
import { allFacts, partsOf } from "./parts.ts";

export const scopeOf = (record: AttachmentRecord): Scope => ({
  netns: record.netns,
  ...(record.netnsInode === undefined ? {} : { netnsInode: record.netnsInode }),
});

/** The result that ADD answered, in the newest version. */
export const resultOf = (record: AttachmentRecord): Result | undefined =>
  record.result === undefined ? undefined : (JSON.parse(record.result) as Result);

/**
 * The pod's addresses: those that we set, or for a chained attachment those of the plugin before us. Every pod has those
 * of its loopback link: they are nobody's.
 */
export function addressesOf(record: AttachmentRecord): Address[] {
  const own = allFacts(record).flatMap((fact) =>
    fact.type === "address" && fact.at === "pod" ? [addressOf(fact.address)] : [],
  );
  const all = own.length > 0 ? own : (resultOf(record)?.ips ?? []).map((ip) => addressOf(ip.address));
  return all.filter((address) => address !== "::1" && !address.startsWith("127."));
}

/** Those of one of its interfaces: its own, or that of a plane. */
export function addressesAt(record: AttachmentRecord, ifname: string): Address[] {
  if (record.planes === undefined) return addressesOf(record);
  return allFacts(record).flatMap((fact) =>
    fact.type === "address" && fact.at === "pod" && fact.link === ifname ? [addressOf(fact.address)] : [],
  );
}

/** Whether the packets of one of its interfaces pass a tenant's router, not the node. */
export const isTenants = ({ planes, tenantFacts }: AttachmentRecord, ifname: string): boolean =>
  planes === undefined
    ? tenantFacts !== undefined
    : planes.some((plane) => plane.ifname === ifname && plane.tenant !== undefined);

/**
 * Addresses by which one host knows the pod. On the node a tenant's pod has only the one that leads to it, since others
 * may have its own.
 */
export function addressesOn(record: AttachmentRecord, host: string): Address[] {
  if (record.tenantFacts === undefined) return addressesOf(record);
  const facts = partsOf(record).flatMap((part) => (part.host === host ? part.facts : []));
  return facts.flatMap((fact) => {
    if (fact.type === "address" && fact.at === "pod") return [addressOf(fact.address)];
    return fact.type === "route" && fact.at === "host" ? [addressOf(fact.to)] : [];
  });
}

export function hostPortsOf(record: AttachmentRecord): { protocol: "tcp" | "udp" | "sctp"; port: number }[] {
  const ports = new Map<string, { protocol: "tcp" | "udp" | "sctp"; port: number }>();
  for (const fact of allFacts(record)) {
    if (fact.type !== "element" || !isHostPort(fact)) continue;
    const [protocol, port] = fact.key.slice(-2);
    ports.set(`${protocol}/${port}`, { protocol: protocol as "tcp" | "udp" | "sctp", port: Number(port) });
  }
  return [...ports.values()];
}

export interface HostEnd {
  /** Name of the host. */
  readonly host: string;
  readonly link: LinkFact;
}

/**
 * The host's ends of the attachment's pairs and functions, without their other ends: for asking whether they are there
 * when the pod's namespace cannot be seen. None when chained.
 */
export const hostEndsOf = (record: AttachmentRecord): HostEnd[] =>
  partsOf(record).flatMap(({ host, facts }) =>
    facts.flatMap((fact) => {
      if (fact.type !== "link" || fact.at !== "host") return [];
      if (fact.peer?.at !== "pod" && fact.kind !== "device") return [];
      const { peer: _, ...link } = fact;
      return [{ host, link }];
    }),
  );
