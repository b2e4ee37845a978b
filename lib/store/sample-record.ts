/** A record for tests. */
import type { AttachmentRecord } from "./store.ts";

/** The attachment `eth0` of container `c1`, as ADD has left it, but for what the test says of it. */
export function sampleRecord(more: Partial<AttachmentRecord>): AttachmentRecord {
  const containerId = more.containerId ?? "c1";
  return {
    containerId,
    ifname: "eth0",
    network: "net",
    phase: "ready",
    type: "ptp",
    netns: `/run/netns/${containerId}`,
    chained: false,
    config: "{}",
    args: "",
    path: "",
    facts: [],
    createdMs: 0,
    ...more,
  };
}
