/** A router for tests. */
import { address } from "#lib/address.ts";
import type { BgpSpec, RouterSpec } from "./router.ts";

/** `edge1`, of which nothing is asked but what the test says. */
export const sampleRouter = (more: Partial<RouterSpec> = {}): RouterSpec => ({
  name: "edge1",
  pools: [],
  nat: { firstRule: 5_000, masquerade: [], egress: [], oneToOne: [], publish: [] },
  groups: [],
  loadBalancers: [],
  virtualServers: [],
  vrfs: [],
  shapers: [],
  sites: [],
  legs: [],
  ...more,
});

/** Sessions with the nodes, which call `192.0.2.1`. */
export const sampleBgp = (more: Partial<BgpSpec> = {}): BgpSpec => ({
  as: 65_000,
  nodesAs: 65_001,
  addresses: [address("192.0.2.1")],
  listen: [],
  multipath: 8,
  communities: [],
  defaultRoute: false,
  ...more,
});
