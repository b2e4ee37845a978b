/** A router for tests. */
import type { RouterSpec } from "./router.ts";

/** `edge1`, of which nothing is asked but what the test says. */
export const sampleRouter = (more: Partial<RouterSpec> = {}): RouterSpec => ({
  name: "edge1",
  pools: [],
  nat: { firstRule: 5_000, masquerade: [], egress: [], oneToOne: [], publish: [] },
  groups: [],
  loadBalancers: [],
  vrfs: [],
  shapers: [],
  sites: [],
  ...more,
});
