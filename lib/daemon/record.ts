/** What can be read off an attachment's record. */
import { type Address, addressOf } from "#lib/address.ts";
import type { Result } from "#lib/cni/types.ts";
import type { Scope } from "#lib/kernel/kernel.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { isHostPort } from "./contested.ts";

export const scopeOf = (record: AttachmentRecord): Scope => ({
  netns: record.netns,
  ...(record.netnsInode === undefined ? {} : { netnsInode: record.netnsInode }),
});

/** The result that ADD answered, in the newest version. */
export const resultOf = (record: AttachmentRecord): Result | undefined =>
  record.result === undefined ? undefined : (JSON.parse(record.result) as Result);

/** The pod's addresses: those that we set, or for a chained attachment those of the plugin before us. */
export function addressesOf(record: AttachmentRecord): Address[] {
  const own = record.facts.flatMap((fact) =>
    fact.type === "address" && fact.at === "pod" ? [addressOf(fact.address)] : [],
  );
  return own.length > 0 ? own : (resultOf(record)?.ips ?? []).map((ip) => addressOf(ip.address));
}

export function hostPortsOf(record: AttachmentRecord): { protocol: "tcp" | "udp" | "sctp"; port: number }[] {
  const ports = new Map<string, { protocol: "tcp" | "udp" | "sctp"; port: number }>();
  for (const fact of record.facts) {
    if (fact.type !== "element" || !isHostPort(fact)) continue;
    const [protocol, port] = fact.key.slice(-2);
    ports.set(`${protocol}/${port}`, { protocol: protocol as "tcp" | "udp" | "sctp", port: Number(port) });
  }
  return [...ports.values()];
}

/** The host's end of the attachment's own pair; none when chained. */
export const hostLinkOf = (record: AttachmentRecord): LinkFact | undefined =>
  record.facts.find((fact): fact is LinkFact => fact.type === "link" && fact.at === "host" && fact.kind === "veth");

/** The same without its other end: for asking whether it is there when the pod's namespace cannot be seen. */
export function hostEndOf(record: AttachmentRecord): LinkFact | undefined {
  const link = hostLinkOf(record);
  if (link === undefined) return undefined;
  const { peer: _, ...end } = link;
  return end;
}
