import { describe, expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { type Line, type Path, pathOf } from "#lib/edge/path.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { trouble } from "#lib/vyos/answer.ts";
import type { Command, Vyos } from "#lib/vyos/vyos.ts";
import { rig, SPEC, view } from "./pusher-rig.ts";

const command = (op: Command["op"], line: string): Command => ({ op, path: pathOf(line as Line) });
const ROUTE = "protocols static route 10.0.0.0/26";

test("a burst of a thousand changes is one commit and one save; nothing is asked while nothing changes", async () => {
  const { router, one, later } = rig();
  await one.pass(view(3), "news");
  await one.pass(view(1_000), "news");
  expect(router.counted).toEqual({ commits: 2, reads: 4, saves: 2 });
  for (let second = 0; second < 59; second++) {
    later(1_000);
    await one.pass(view(1_000), "news");
  }
  expect(router.counted).toEqual({ commits: 2, reads: 4, saves: 2 });
  later(1_000);
  await one.pass(view(1_000));
  expect(router.counted).toEqual({ commits: 2, reads: 5, saves: 2 });
  expect(one.status).toMatchObject({ phase: "in-sync", owned: 1_000, revision: 2 });
});

test("where pools are summarised a thousand pods more are nothing to a router", async () => {
  const spec = async (): Promise<RouterSpec> => ({ ...SPEC, static: { routes: "pools" } });
  const { router, one } = rig({ spec });
  await one.pass(view(3), "news");
  await one.pass(view(1_000), "news");
  expect(linesOf(router.running)).toEqual(["protocols static route 10.0.0.0/8 next-hop 192.0.2.11"]);
  expect(router.counted).toEqual({ commits: 1, reads: 2, saves: 1 });
});

describe("after a push", () => {
  const BEFORE = "protocols static route 10.0.0.0/26 next-hop 192.0.2.11";
  /** Static routes that the router has, used or not. */
  const routes = (used: boolean) => (path: Path) =>
    path[0] === "ip" ? `${used ? "S>*" : "S  "} 10.0.0.0/26 [1/0] via 192.0.2.11, eth1, weight 1, 00:00:05` : "";
  const ill = async (seconds: number) => {
    let waited = 0;
    const wait = async () => {
      waited += 1;
      if (waited === seconds) router.tells = routes(true);
    };
    const { router, one, events } = rig({ verifyMs: 5_000 }, undefined, undefined, wait);
    router.tells = routes(true);
    await one.pass(view(1), "news");
    router.between = () => {
      router.tells = routes(false);
      router.between = undefined;
    };
    await one.pass(view(2), "news");
    return { router, one, events };
  };

  test("what does not work any more is taken back, and waits for a person", async () => {
    const { router, one, events } = await ill(60);
    expect(linesOf(router.running)).toEqual([BEFORE]);
    const harm = "of 1 static routes 1 are not used any more: 10.0.0.0/26";
    expect(one.status).toMatchObject({ phase: "paused", message: `by alpha: revision 2 was taken back: ${harm}` });
    expect(events).toContainEqual({ event: "edge-taken-back", router: "edge1", revision: 2, message: harm });
    expect((await one.history()).map(({ revision, result }) => [revision, result])).toEqual([
      [1, "done"],
      [2, "done"],
      [3, "done"],
    ]);
    await one.pass(view(3), "news");
    expect(linesOf(router.running)).toEqual([BEFORE]);
    await one.resume();
    await one.pass(view(3));
    expect(linesOf(router.running)).toHaveLength(3);
  });

  test("what works again after a while stays", async () => {
    const { router, one } = await ill(3);
    expect(linesOf(router.running)).toHaveLength(2);
    expect(one.status.phase).toBe("in-sync");
  });
});

test("what happened is counted", async () => {
  const { router, one, later } = rig();
  await one.pass(view(3), "news");
  router.operate([command("delete", ROUTE)]);
  later(60_000);
  await one.pass(view(3));
  router.plan("lost");
  await one.pass(view(4), "news");
  expect(one.status.counted).toEqual({ looks: 3, drifts: 1, pushes: 3, failedPushes: 1, commitMs: 0, lastCommitMs: 0 });
});

test("what a conflict left out is no drift when the conflict is over", async () => {
  let connected = [{ interface: "eth1", address: prefix("10.0.0.1/24") }];
  const { router, one, later } = rig({ spec: async () => ({ ...SPEC, connected }) });
  await one.pass(view(1), "news");
  expect([one.status.phase, linesOf(router.running)]).toEqual(["conflict", []]);
  connected = [];
  later(60_000);
  await one.pass(view(1));
  expect(one.status).toMatchObject({ phase: "in-sync", counted: { drifts: 0, pushes: 1 } });
  expect((await one.history()).map(({ why }) => why)).toEqual(["the cluster has changed"]);
});

test("a push that takes away much waits until it is asked for", async () => {
  const { router, one } = rig();
  await one.pass(view(40), "news");
  await one.pass(view(30), "news");
  expect(one.status).toMatchObject({
    phase: "held",
    message: "10 of 40 paths would go, and one push may take 8; `selvedgectl edge apply edge1` does it",
  });
  expect(linesOf(router.running)).toHaveLength(40);
  await one.pass(view(30), "asked");
  expect(one.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(30);
});

test("drift is reported where that is wanted, and repaired when asked for", async () => {
  const { router, one, later } = rig({ onDrift: "report" });
  await one.pass(view(2), "news");
  router.operate([command("delete", ROUTE)]);
  later(60_000);
  await one.pass(view(2));
  expect(one.status).toMatchObject({
    phase: "drifted",
    message: `somebody else has changed what is ours: ${ROUTE}`,
    conflicts: [],
  });
  expect(linesOf(router.running)).toHaveLength(1);
  await one.pass(view(2), "asked");
  expect(one.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(2);
});

test("what is to be reported stays as somebody has changed it, whatever the cluster does and whoever writes", async () => {
  const { router, one, make, keeper, later } = rig({ onDrift: "report" });
  await one.pass(view(2), "news");
  router.operate([command("delete", ROUTE)]);
  await one.pass(view(3), "news");
  expect(one.status).toMatchObject({ phase: "drifted", counted: { drifts: 1 } });
  const routes = [2, 4].map((i) => `protocols static route 10.0.${i}.0/26 next-hop 192.0.2.11`);
  expect(linesOf(router.running)).toEqual(routes);
  await keeper.remove("edge/edge1/writer");
  const other = make("beta");
  router.plan({ partly: ["protocols", "static"] });
  await other.pass(view(4));
  expect(other.status.phase).toBe("failing");
  later(2_000);
  await other.pass(view(4));
  expect(other.status.phase).toBe("drifted");
  expect(linesOf(router.running)).toEqual([...routes, "protocols static route 10.0.6.0/26 next-hop 192.0.2.11"]);
  // Whoever took it away puts it back.
  router.operate([command("set", `${ROUTE} next-hop 192.0.2.11`)]);
  later(61_000);
  await other.pass(view(4));
  expect(other.status.phase).toBe("in-sync");
  router.operate([command("delete", ROUTE)]);
  later(61_000);
  await other.pass(view(4));
  expect(other.status.phase).toBe("drifted");
  await other.pass(view(4), "asked");
  expect(other.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(4);
});

test("a dry run changes nothing and tells what it would", async () => {
  const { router, one } = rig({ dryRun: true });
  await one.pass(view(2), "asked");
  expect(one.status).toMatchObject({ phase: "dry-run", message: "2 to set, 0 to delete" });
  expect(router.counted.commits).toBe(0);
  expect((await one.plan(view(2))).change.sets).toHaveLength(2);
});

test("the operator's own is left alone and told of; the rest is made", async () => {
  const { router, one } = rig();
  router.operate([command("set", `${ROUTE} blackhole`)]);
  await one.pass(view(2), "news");
  expect(one.status).toMatchObject({ phase: "conflict", message: `${ROUTE} has ${ROUTE} blackhole` });
  expect(linesOf(router.running)).toEqual([
    `${ROUTE} blackhole`,
    "protocols static route 10.0.2.0/26 next-hop 192.0.2.11",
  ]);
  expect(await one.rollback(view(2), 0)).toEqual([]);
  expect(linesOf(router.running)).toEqual([`${ROUTE} blackhole`]);
});

test("what a version does not take is left out and told of; the rest is made", async () => {
  /** Takes no route to 10.0.2.0/26. */
  const picky = (port: Vyos): Vyos => ({
    ...port,
    configure: async (commands) => {
      if (commands.some(({ path }) => path.includes("10.0.2.0/26"))) throw trouble("edge1", "refused", "Set failed");
      await port.configure(commands);
    },
  });
  const { router, one, later } = rig({}, picky);
  await one.pass(view(8), "news");
  later(2_000);
  await one.pass(view(8));
  expect(one.status).toMatchObject({
    phase: "conflict",
    refused: [{ at: "protocols static route 10.0.2.0/26", message: "router edge1: Set failed" }],
  });
  expect(linesOf(router.running)).toHaveLength(7);
  const tried = router.counted.commits;
  later(60_000);
  await one.pass(view(8));
  expect(router.counted.commits).toBe(tried);
});

test("failures are tried again at growing intervals, and the history tells one push", async () => {
  const { router, one, later, events } = rig();
  router.plan({ refuse: "locked" }, { refuse: "locked" }, { refuse: "locked" });
  for (let second = 0; second < 8; second++) {
    await one.pass(view(1), "news");
    later(1_000);
  }
  expect(events.filter(({ event }) => event === "edge-failed")).toHaveLength(3);
  expect(one.status).toMatchObject({ phase: "in-sync", failures: 0, revision: 1 });
  expect((await one.history()).map(({ revision, result }) => [revision, result])).toEqual([[1, "done"]]);
});

test("another's commit that holds the lock for two minutes is waited for, ever less often", async () => {
  let isLocked = true;
  let tried = 0;
  const through = (port: Vyos): Vyos => ({
    ...port,
    async configure(commands, given) {
      tried += 1;
      if (isLocked) throw trouble("edge1", "locked", "Configuration system locked by another commit in progress");
      return port.configure(commands, given);
    },
  });
  const { router, one, later } = rig({}, through);
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      await one.pass(view(1), "news");
      later(1_000);
    }
  };
  await pass(120);
  expect(one.status).toMatchObject({
    phase: "open",
    message: expect.stringMatching(
      /^left alone until 1970-01-01T00:1\d:\d\d\.\d{3}Z after \d failures in a row: .* locked by another commit/,
    ),
  });
  expect(tried).toBeGreaterThan(4);
  expect(tried).toBeLessThan(10);
  isLocked = false;
  await pass(60);
  expect(one.status).toMatchObject({ phase: "in-sync", failures: 0, revision: 1 });
  expect(router.counted.commits).toBe(1);
  expect((await one.history()).map(({ revision, result }) => [revision, result])).toEqual([[1, "done"]]);
});

test("another node takes over when the writer ends, and knows what is ours", async () => {
  const { router, one, make, keeper, later } = rig();
  await one.pass(view(2), "news");
  const other = make("beta");
  await other.pass(view(2), "news");
  expect(other.status).toMatchObject({ phase: "standby", writer: "alpha" });
  await expect(other.rollback(view(2), 0)).rejects.toThrow("node alpha writes to router edge1; ask there");
  await keeper.remove("edge/edge1/writer");
  other.wake();
  await other.pass(view(1), "time");
  expect(other.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(1);
  later(60_000);
  await one.pass(view(1));
  expect(one.status.phase).toBe("standby");
});

test("back to a revision, and on again", async () => {
  const { router, one, later } = rig();
  for (const blocks of [1, 2, 3]) await one.pass(view(blocks), "news");
  await one.rollback(view(3), 1);
  expect(linesOf(router.running)).toHaveLength(1);
  later(120_000);
  await one.pass(view(3), "news");
  expect(one.status).toMatchObject({ phase: "paused", message: "by alpha: back at revision 1" });
  expect(linesOf(router.running)).toHaveLength(1);
  await one.resume();
  await one.pass(view(3));
  expect(linesOf(router.running)).toHaveLength(3);
  expect((await one.history()).map(({ revision, why }) => `${revision} ${why}`)).toEqual([
    "1 the cluster has changed",
    "2 the cluster has changed",
    "3 the cluster has changed",
    "4 back at revision 1",
    "5 resumed",
  ]);
});

test("two reasons for one route are a mistake, named before anything is done", async () => {
  const site = { name: "west", interface: "wg1", addresses: [], networks: [prefix("10.0.0.0/26")] };
  const { router, one } = rig({ spec: async () => ({ ...SPEC, sites: [site] }) });
  await one.pass(view(1), "news");
  expect(one.status.phase).toBe("failing");
  expect(one.status.message).toContain(`"${ROUTE}" would be there for two reasons`);
  expect(router.counted.commits).toBe(0);
});

test("a push whose daemon was killed is told of by the next", async () => {
  const { one, make, keeper } = rig();
  await one.pass(view(1), "news");
  const entry = await keeper.get("edge/edge1/history/000000001");
  await keeper.put("edge/edge1/history/000000001", (entry?.value ?? "").replace('"done"', '"begun"'));
  const again = make("alpha");
  await again.pass(view(1), "news");
  expect(await again.history()).toMatchObject([
    { revision: 1, result: "unknown", message: "node alpha did not tell how it ended" },
  ]);
});

test("a router that is rebooted to what it had before gets what it lacks, and loses what has gone since", async () => {
  const { router, one, later } = rig();
  await one.pass(view(2), "news");
  const old = router.saved;
  await one.pass(view(1), "news");
  expect(linesOf(old)).toHaveLength(2);
  router.reboot();
  later(60_000);
  await one.pass(view(1));
  expect(linesOf(router.running)).toHaveLength(1);
});

test("a router that reloads what is not confirmed keeps what it could still be read after, and loses what cut it off", async () => {
  const { router, one, later } = rig({}, undefined, "2026.02.13-0018-rolling");
  router.operate([command("set", "system config-management commit-confirm action reload")]);
  await one.pass(view(1), "news");
  router.expire();
  expect(linesOf(router.running)).toHaveLength(2);
  router.between = () => {
    router.down = "unreachable";
  };
  const cutOff = one.pass(view(2), "news");
  await cutOff;
  expect(one.status.phase).toBe("failing");
  expect(linesOf(router.running)).toHaveLength(3);
  router.expire();
  expect(linesOf(router.running)).toHaveLength(2);
  router.down = undefined;
  router.between = undefined;
  later(60_000);
  await one.pass(view(2));
  expect(one.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(3);
});

test("a commit whose answer was lost is confirmed when it is seen", async () => {
  const { router, one, later } = rig({}, undefined, "1.5.0");
  router.operate([command("set", "system config-management commit-confirm action reload")]);
  router.plan("unheard");
  await one.pass(view(1), "news");
  expect(one.status.phase).toBe("failing");
  later(2_000);
  await one.pass(view(1));
  expect(one.status.phase).toBe("in-sync");
  router.expire();
  expect(linesOf(router.running)).toHaveLength(2);
});

test("a dry run takes nothing back either", async () => {
  const { one } = rig({ dryRun: true });
  await expect(one.rollback(view(1), 0)).rejects.toThrow("edge.dryRun: nothing is pushed");
});
