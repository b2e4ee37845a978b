/** Addresses that are leased to nobody. */
import type { Leak } from "#proto/selvedge_pb.ts";
import { isOwn } from "./cluster/own-addresses.ts";
import type { Core } from "./core.ts";

/**
 * A lease is a leak when no attachment, ready or on its way, has its key, nor the node itself: leases and attachments are written in one
 * transaction, so this can only be the trace of a fault.
 */
export const leaks = (core: Core): Leak[] =>
  core.ipam
    .leases()
    .filter((lease) => !isOwn(lease) && core.table.ofInterface(lease) === undefined)
    .map((lease) => ({
      name: `${lease.pool}/${lease.address}`,
      lease: {
        pool: lease.pool,
        address: lease.address,
        owner: { containerId: lease.containerId, ifname: lease.ifname },
        pod: "",
        since: new Date(lease.sinceMs).toISOString(),
        coolingMs: 0,
      },
      proof: `no attachment ${lease.containerId} ${lease.ifname} is known to this node`,
    }));
