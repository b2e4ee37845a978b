/** What a configuration says of the ways to other nodes, for tests and benchmarks. */
import type { ClusterWays } from "./cluster.ts";

export const SAMPLE_WAYS: ClusterWays = {
  way: "vxlan",
  encrypt: false,
  flowOffload: false,
  vxlan: { vni: 4_096, port: 4_789 },
  gre: { key: 4_096 },
  wireguard: { port: 51_830, rotateHours: 168, leadSeconds: 60 },
};
