/** A pod's networks as Kubernetes is told of them. */
import { type NetworkStatus, networkStatus } from "#lib/cni/network-status.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { resultOf } from "../record.ts";

/** Undefined for a pod on one network, of which `status.podIPs` says as much, and for what is not ready. */
export function statusOf(record: AttachmentRecord): NetworkStatus[] | undefined {
  const result = resultOf(record);
  if (record.planes === undefined || result === undefined || record.phase !== "ready") return undefined;
  const planes = record.planes.map(({ name, ifname, definition, leads = false }, i) => ({
    name: definition ?? name,
    ifname,
    isDefault: i === 0,
    leads,
  }));
  return networkStatus(planes, result);
}
