/** What a node tells a router by BGP of both families, over one session and over two; and that it stops when nobody is called. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "@jest/globals";
import { eventually, must } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { ALONE, makeAlone, NODE_HOSTS, ROUTER, ROUTER_HOSTS } from "./alone.ts";

const POOLS = ["10.66.0.0/16", "fd66::/64"] as const;
const bgpBy = (addresses: readonly string[]) => ({
  bgp: { as: 65_000, nodesAs: "internal", addresses: [...addresses] },
});
/** Gateways that the router's kernel has to a destination. */
const gatewaysTo = async (prefix: string): Promise<string[]> => {
  const family = prefix.includes(":") ? "-6" : "-4";
  const routes = JSON.parse(await must(["ip", "-n", ROUTER, "-j", family, "route", "show", prefix])) as {
    gateway?: string;
    via?: { host: string };
    nexthops?: { gateway: string }[];
  }[];
  return routes.flatMap(({ gateway, via, nexthops = [] }) => [
    ...(gateway ? [gateway] : []),
    ...(via ? [via.host] : []),
    ...nexthops.map((hop) => hop.gateway),
  ]);
};

needing(...ALONE)("a router hears of pods of both families, by one address of its own and by two", async () => {
  await using alone = await makeAlone(bgpBy(ROUTER_HOSTS.slice(0, 1)));
  const { node, router } = alone;
  const hears = (count: number) => async () => {
    const [four, six] = await Promise.all(POOLS.map(gatewaysTo));
    return four?.length === count && six?.length === count ? { four, six } : undefined;
  };
  const one = await eventually("both pools by one session", hears(1), 30_000);
  expect(one.four).toEqual([NODE_HOSTS[0]]);
  // A neighbour on link is known by its link-local address, too (RFC 2545).
  expect(one.six[0]).toMatch(/^fe80::/);

  await alone.reconfigure(bgpBy(ROUTER_HOSTS));
  await eventually("a session by each family", async () => {
    const summary = await router.vtysh("show bgp summary");
    // Up for so long, one prefix received, none sent.
    return (
      NODE_HOSTS.every((host) => new RegExp(`^${host} .* \\d+:\\d\\d:\\d\\d +1 +0 `, "m").test(summary)) || undefined
    );
  });
  const two = await eventually("both pools by a session each", hears(1), 30_000);
  expect(two.four).toEqual([NODE_HOSTS[0]]);

  await alone.reconfigure(bgpBy([]));
  // At once, though its FRR could be starting again for all that the router knows.
  await eventually("nothing is told any more", hears(0), 15_000);
  const bgpd = join(dirname(dirname(node.store)), "frr", "selvedge", "bgpd.pid");
  await eventually("FRR has ended", async () => (existsSync(bgpd) ? undefined : true));
});
