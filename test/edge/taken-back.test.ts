/** A push that ends the sessions that a router has: by the router's own word, and taken back. */
import { expect } from "@jest/globals";
import type { PushList, RouterList } from "#proto/selvedge_pb.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { ALONE, makeAlone, ROUTER_HOSTS } from "./alone.ts";

/** The node's network, and one that it is not on. */
const [HERE, ELSEWHERE] = ["192.0.2.0/24", "198.51.100.0/24"];
const bgpWith = (listen: string) => ({
  bgp: { as: 65_000, nodesAs: 65_001, addresses: [ROUTER_HOSTS[0]], listen: [listen] },
});

needing(...ALONE)("a push after which the nodes' sessions stay down is taken back", async () => {
  await using alone = await makeAlone(bgpWith(HERE), { verifySeconds: 3 });
  const { node, router } = alone;
  const isUp = async () =>
    /\*192\.0\.2\.1 .* 1 +0 N\/A/.test(await router.vtysh("show bgp ipv4 unicast summary")) || undefined;
  await eventually("a session", isUp);

  await alone.reconfigure(bgpWith(ELSEWHERE));
  const found = await eventually("it is taken back", async () => {
    const [state] = ((await node.ctl("edge", "status")) as RouterList).routers;
    return state?.phase === "paused" ? state : undefined;
  });
  expect(found.message).toMatch(/revision 2 was taken back: of 1 BGP sessions 1 are down: 192\.0\.2\.1$/);
  const { pushes } = (await node.ctl("edge", "history", "edge1")) as PushList;
  expect(pushes.map(({ revision, result }) => [revision, result])).toEqual([
    [1, "done"],
    [2, "done"],
    [3, "done"],
  ]);
  expect(pushes[2]?.lines).toEqual([
    `+ protocols bgp listen range ${HERE} peer-group SELVEDGE`,
    `- protocols bgp listen range ${ELSEWHERE} peer-group SELVEDGE`,
  ]);
  await eventually("the session is back", isUp);
});
