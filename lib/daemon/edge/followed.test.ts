import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { choiceText } from "#lib/edge/chosen.ts";
import type { EdgeView } from "#lib/edge/router.ts";
import { sampleRouter } from "#lib/edge/sample-router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { rig, SPEC, view } from "./pusher-rig.ts";

test("a group follows pods, however many go; with too many it stays as it is, and all else goes on", async () => {
  const choice = { labels: { app: "web" }, most: 30 };
  const spec = sampleRouter({ static: { routes: "blocks" }, groups: [{ name: "WEB", of: "pods", pods: choice }] });
  const { router, one } = rig({ spec: async () => spec });
  /** Of which no two follow one another. */
  const withPods = (blocks: number, pods: number): EdgeView => ({
    ...view(blocks),
    pods: new Map([[choiceText(choice), Array.from({ length: pods }, (_, i) => address(`10.1.0.${2 * i}`))]]),
  });
  const members = () => linesOf(router.running).filter((line) => line.includes("address-group WEB address")).length;
  await one.pass(withPods(1, 30), "news");
  expect([one.status.phase, members()]).toEqual(["in-sync", 30]);

  await one.pass(withPods(2, 31), "news");
  expect(one.status).toMatchObject({
    phase: "conflict",
    message: "firewall group address-group WEB would have 31 entries, and may have 30: it stays as it is",
  });
  expect(members()).toBe(30);
  expect(linesOf(router.running).filter((line) => line.includes("static route"))).toHaveLength(2);

  await one.pass(withPods(2, 0), "news");
  expect([one.status.phase, members()]).toEqual(["in-sync", 0]);
  expect(linesOf(router.running)).toContain("firewall group address-group WEB");
  await one.pass(withPods(2, 1), "news");
  expect(members()).toBe(1);
  await one.rollback(withPods(2, 1), 0);
  // VyOS keeps nodes that were made on the way to others.
  expect(linesOf(router.running)).toEqual(["protocols static", "firewall group"]);
});

test("which of its pair a router is, is known as long as it answers", async () => {
  const networks = [{ interface: "eth1", vrid: 10, addresses: [prefix("192.0.2.254/24")] }];
  const pair = { name: "gate", isPreferred: true, preempt: true, advertiseSeconds: 1, networks };
  const { router, one, later } = rig({ spec: async () => ({ ...SPEC, pair }) });
  await one.pass(view(1), "news");
  expect([one.status.phase, one.status.role]).toEqual(["in-sync", ""]);
  router.tells = (path) => (path.join(" ") === "vrrp" ? "SELVEDGE-gate-eth1-4  eth1  10  MASTER  200  3s\n" : "");
  later(60_000);
  await one.pass(view(1));
  expect(one.status.role).toBe("master");
  router.down = "unreachable";
  later(60_000);
  await one.pass(view(1));
  expect([one.status.phase, one.status.role]).toEqual(["failing", ""]);
});

test("a service of too many pods stays, and goes with the last of them", async () => {
  const pods = { labels: { app: "web" }, most: 1, port: 80 };
  const virtual = { name: "web", address: address("198.51.100.7"), port: 80 };
  const spec = sampleRouter({ virtualServers: [{ ...virtual, protocol: "tcp", algorithm: "round-robin", pods }] });
  const { router, one } = rig({ spec: async () => spec });
  const withPods = (...addresses: string[]): EdgeView => ({
    ...view(1),
    pods: new Map([[choiceText(pods), addresses.map((each) => address(each))]]),
  });
  const servers = () => linesOf(router.running).filter((line) => line.includes("real-server"));
  const first = "high-availability virtual-server selvedge-web real-server 10.1.0.5 port 80";
  await one.pass(withPods("10.1.0.5"), "news");
  expect(servers()).toEqual([first]);
  await one.pass(withPods("10.1.0.6", "10.1.0.7"), "news");
  expect([one.status.phase, servers()]).toEqual(["conflict", [first]]);
  await one.pass(withPods(), "news");
  expect([one.status.phase, linesOf(router.running)]).toEqual(["in-sync", []]);
});
