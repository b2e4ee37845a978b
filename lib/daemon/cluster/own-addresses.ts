/**
 * The node's own addresses among pods, one of each family, which its own packets carry in tunnels: leased like those of
 * a pod, for as long as the node is there.
 */
import type { Address } from "#lib/address.ts";
import { NODE_LINK } from "#lib/datapath/ways/names.ts";
import type { AddressRequest, Allocation } from "#lib/ipam/ipam.ts";
import type { AttachmentKey, Lease } from "#lib/state/lease.ts";
import type { Change, Store } from "#lib/store/store.ts";

/** No runtime names a container so. */
const KEY: AttachmentKey = { containerId: "selvedge-node", ifname: NODE_LINK };

export const isOwn = ({ containerId, ifname }: AttachmentKey): boolean =>
  containerId === KEY.containerId && ifname === KEY.ifname;

/** Those that the node has already. */
export const ownAddresses = (leases: readonly Lease[]): Address[] => leases.filter(isOwn).map(({ address }) => address);

export interface OwnAddressOptions {
  readonly store: Pick<Store, "commit">;
  readonly pool: string;
  readonly allocate: (request: AddressRequest) => Allocation | Promise<Allocation>;
}

/** Takes addresses from the pool and keeps them. @throws SelvedgeError as `Ipam.allocate`, store */
export async function takeOwnAddresses({ store, pool, allocate }: OwnAddressOptions): Promise<Address[]> {
  const { leases, ended, pools } = await allocate({ key: KEY, pool });
  await store.commit([
    ...pools.map((value): Change => ({ put: "pool", value })),
    ...leases.map((value): Change => ({ put: "lease", value })),
    ...ended.map((c): Change => ({ remove: "coolDown", pool: c.pool, address: c.address })),
  ]);
  return leases.map(({ address }) => address);
}
