/** Who of this node's attachments is on a segment that stretches over the nodes. */
import { addressOf } from "#lib/address.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Station, StretchedNetwork } from "./cluster/segments.ts";
import type { Core } from "./core.ts";
import { NODE } from "./host.ts";
import { partsOf } from "./parts.ts";
import { stretchedOf } from "./segment-bridge.ts";

/** By the order of their MAC addresses. */
export function stationsHere({ config, table }: Pick<Core, "config" | "table">): Station[] {
  const networks = new Map(
    stretchedOf(config).map((network) => [bridgeKey(network.tenant ?? NODE, network.bridge), network]),
  );
  if (networks.size === 0) return [];
  return [...table]
    .flatMap((record) => (record.phase === "deleting" ? [] : ofRecord(record, networks)))
    .sort((a, b) => (a.mac < b.mac ? -1 : a.mac > b.mac ? 1 : 0));
}

/** Bridges of different hosts may have the same name. */
const bridgeKey = (host: string, bridge: string): string => `${bridge} ${host}`;

/** Each of its interfaces whose other end is a port of such a bridge. */
function ofRecord(record: AttachmentRecord, networks: ReadonlyMap<string, StretchedNetwork>): Station[] {
  return partsOf(record).flatMap(({ host, facts }) =>
    facts.flatMap((port): Station[] => {
      if (port.type !== "link" || port.at !== "host" || port.master === undefined || port.peer?.at !== "pod") return [];
      const network = networks.get(bridgeKey(host, port.master))?.network;
      const { name } = port.peer;
      const link = facts.find((fact) => fact.type === "link" && fact.at === "pod" && fact.name === name);
      if (network === undefined || link?.type !== "link" || link.mac === undefined) return [];
      const addresses = facts.flatMap((fact) =>
        fact.type === "address" && fact.at === "pod" && fact.link === name ? [addressOf(fact.address)] : [],
      );
      return [{ network, mac: link.mac, addresses, sinceMs: record.createdMs }];
    }),
  );
}
