import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { sampleRouter } from "#lib/edge/sample-router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { rig, view } from "./pusher-rig.ts";

const SERVERS = [{ address: address("10.0.0.5"), port: 80 }];

test("what a router's upgrade has moved stays ours, back to a revision from before, too", async () => {
  let version = "1.4.0";
  let port = 443;
  const { router, one, later } = rig(
    { spec: async () => sampleRouter({ loadBalancers: [{ name: "web", port, servers: SERVERS }] }) },
    (client) => ({ ...client, version: async () => version }),
  );
  await one.pass(view(1), "news");
  port = 8443;
  later(60_000);
  await one.pass(view(1));
  expect(one.status).toMatchObject({ phase: "in-sync", revision: 2 });
  const before = linesOf(router.running);
  expect(before).toContain("load-balancing reverse-proxy service selvedge-web port 8443");

  // It was away meanwhile.
  router.down = "unreachable";
  later(60_000);
  await one.pass(view(1));
  router.down = undefined;
  version = "1.5.0";
  const moved = before.map((line) => line.replace("reverse-proxy", "haproxy"));
  router.operate([
    { op: "delete", path: ["load-balancing", "reverse-proxy"] },
    ...moved.map((line) => ({ op: "set" as const, path: line.split(" ") })),
  ]);
  later(60_000);
  await one.pass(view(1));
  expect(one.status).toMatchObject({ phase: "in-sync", conflicts: [], revision: 2 });
  expect(linesOf(router.running)).toEqual(moved);

  await one.rollback(view(1), 1);
  expect(linesOf(router.running).toSorted()).toEqual(moved.map((line) => line.replace("8443", "443")).toSorted());
  await one.rollback(view(1), 0);
  // VyOS keeps nodes that were made on the way to others.
  expect(linesOf(router.running)).toEqual(["load-balancing"]);
});
