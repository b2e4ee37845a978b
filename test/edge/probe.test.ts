/** A push after which what is beyond the router is not reached any more: by the node's own word, and taken back. */
import { expect } from "@jest/globals";
import type { PushList, RouterList } from "#proto/selvedge_pb.ts";
import { ip } from "../../conformance/namespace.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { ALONE, makeAlone, ROUTER } from "./alone.ts";

/** RFC 5737; nobody listens there, which is an answer. */
const BEYOND = "203.0.113.9";
const probes = [`${BEYOND}:443`];
/** Leads all who ask for it to a pod that is not there. */
const astray = { name: "astray", interface: "lan", address: BEYOND, port: 443, to: "10.66.255.254:443" };

needing(...ALONE)("a push after which the node does not reach what is beyond the router is taken back", async () => {
  await using alone = await makeAlone({ static: {}, probes }, { verifySeconds: 5 });
  const { node } = alone;
  const stateOf = async () => ((await node.ctl("edge", "status")) as RouterList).routers[0];
  await ip(ROUTER, `addr add ${BEYOND}/32 dev lan`);
  await eventually("the router has what it should", async () => (await stateOf())?.phase === "in-sync" || undefined);

  await alone.reconfigure({ static: {}, probes, nat: { publish: [astray] } });
  const found = await eventually(
    "it is taken back",
    async () => {
      const state = await stateOf();
      return state?.phase === "paused" ? state : undefined;
    },
    60_000,
  );
  expect(found.message).toMatch(/revision 2 was taken back: of 1 probes 1 get no answer any more: 203\.0\.113\.9:443$/);
  const { pushes } = (await node.ctl("edge", "history", "edge1")) as PushList;
  expect(pushes.map(({ revision, result }) => [revision, result])).toEqual([
    [1, "done"],
    [2, "done"],
    [3, "done"],
  ]);
});
