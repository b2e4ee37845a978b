/**
 * The node's own addresses among pods, one of each family, which its own packets carry in tunnels: leased like those of
 * a pod, for as long as the node is there.
 */
import type { Address } from "#lib/address.ts";
import { NODE_LINK } from "#lib/datapath/ways/names.ts";
import { isFailure } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import type { AttachmentKey, Lease } from "#lib/state/lease.ts";
import type { Change, Store } from "#lib/store/store.ts";
import type { Blocks } from "../blocks/blocks.ts";
import type { Cluster } from "./cluster.ts";

/** No runtime names a container so. */
const KEY: AttachmentKey = { containerId: "selvedge-node", ifname: NODE_LINK };

export const isOwn = ({ containerId, ifname }: AttachmentKey): boolean =>
  containerId === KEY.containerId && ifname === KEY.ifname;

/** Those that the node has already. */
export const ownAddresses = (leases: readonly Lease[]): Address[] => leases.filter(isOwn).map(({ address }) => address);

export interface OwnAddressOptions {
  readonly cluster: Pick<Cluster, "record" | "own">;
  readonly blocks: Pick<Blocks, "isShared" | "allocate">;
  readonly store: Pick<Store, "commit">;
  /** Pool that they come from: the one that most pods are in. */
  readonly pool: string;
  readonly log: Log;
}

/** Takes them where the node has none yet; what fails is logged, and the next call's work. */
export async function takeOwnAddresses({ cluster, blocks, store, pool, log }: OwnAddressOptions): Promise<void> {
  if (cluster.record.tunnelAddresses.length > 0 || !blocks.isShared(pool)) return;
  try {
    cluster.own(await taken(blocks, store, pool));
  } catch (error) {
    if (!isFailure(error)) throw error;
    log({ event: "cluster-failed", message: `the node's own addresses among pods: ${error.message}` });
  }
}

async function taken(blocks: Pick<Blocks, "allocate">, store: Pick<Store, "commit">, pool: string): Promise<Address[]> {
  const { leases, ended } = await blocks.allocate({ key: KEY, pool });
  await store.commit([
    ...leases.map((value): Change => ({ put: "lease", value })),
    ...ended.map((c): Change => ({ remove: "coolDown", pool: c.pool, address: c.address })),
  ]);
  return leases.map(({ address }) => address);
}
