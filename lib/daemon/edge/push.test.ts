/** Pushes that end otherwise than they should. */
import { expect, test } from "@jest/globals";
import { type Line, pathOf } from "#lib/edge/path.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { trouble } from "#lib/vyos/answer.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import { rig, view } from "./pusher-rig.ts";

const RELOAD = pathOf("system config-management commit-confirm action reload" as Line);
const ROLLING = "2026.02.13-0018-rolling";
const told = async (one: ReturnType<typeof rig>["one"]) =>
  (await one.history()).map(({ revision, result, tries = 1 }) => [revision, result, tries]);

test("a commit whose confirmation was lost is confirmed before it is saved", async () => {
  let isLost = true;
  const losing = (port: Vyos): Vyos => ({
    ...port,
    async confirm() {
      if (isLost) throw trouble("edge1", "unknown", "no answer");
      await port.confirm();
    },
  });
  const { router, one, later } = rig({}, losing, ROLLING);
  router.operate([{ op: "set", path: RELOAD }]);
  await one.pass(view(1), "news");
  expect(one.status.phase).toBe("failing");
  isLost = false;
  later(2_000);
  await one.pass(view(1));
  expect(one.status.phase).toBe("in-sync");
  router.expire();
  expect(linesOf(router.running)).toHaveLength(2);
});

test("so is one that cannot be read after, though something else is wanted by then", async () => {
  const { router, one, later } = rig({}, undefined, ROLLING);
  router.operate([{ op: "set", path: RELOAD }]);
  router.between = () => {
    router.down = "busy";
  };
  await one.pass(view(1), "news");
  expect(one.status.phase).toBe("failing");
  router.between = undefined;
  router.down = undefined;
  later(2_000);
  await one.pass(view(2));
  expect(one.status.phase).toBe("in-sync");
  expect(await told(one)).toEqual([
    [1, "done", 1],
    [2, "done", 1],
  ]);
  router.expire();
  expect(linesOf(router.running)).toHaveLength(3);
});

test("an answer that is lost while a refusal is looked for is as unknown as any", async () => {
  /** Refuses one route, and loses the answers to commits of two or fewer. */
  const odd = (port: Vyos): Vyos => ({
    ...port,
    async configure(commands, options) {
      if (commands.some(({ path }) => path.includes("10.0.6.0/26"))) throw trouble("edge1", "refused", "Set failed");
      await port.configure(commands, options);
      if (commands.length <= 2) throw trouble("edge1", "unknown", "HTTP 504");
    },
  });
  const { one, keeper } = rig({}, odd);
  await one.pass(view(4), "news");
  expect(one.status.message).toBe("router edge1: HTTP 504");
  expect(await told(one)).toEqual([[1, "unknown", 1]]);
  const state = await keeper.get("edge/edge1/state");
  expect(JSON.parse(state?.value ?? "")).toMatchObject({ unknownMs: 1_000_000 });
});

test("what is never made fills no history, and keeps the rest from being saved no longer than once", async () => {
  const { router, one, later } = rig();
  await one.pass(view(1), "news");
  const failing = { partly: ["protocols", "static"] };
  router.plan(...Array.from({ length: 150 }, () => failing));
  for (let i = 0; i < 150; i++) {
    later(61_000);
    await one.pass(view(2));
  }
  expect(one.status).toMatchObject({ phase: "open", revision: 2 });
  expect(await told(one)).toEqual([
    [1, "done", 1],
    [2, "failed", 150],
  ]);
  expect(router.counted.saves).toBe(2);
  later(61_000);
  await one.pass(view(2));
  expect(one.status).toMatchObject({ phase: "in-sync", isUnsaved: false });
  expect(await told(one)).toEqual([
    [1, "done", 1],
    [2, "done", 151],
  ]);
});

test("more than a request has room for is several, and is made", async () => {
  const { router, one } = rig({ deleteLimit: { percent: 100, paths: 0 }, verifyMs: 0 });
  const prefixes = 8_000;
  await one.pass(view(prefixes), "news");
  expect(one.status).toMatchObject({ phase: "in-sync", owned: prefixes });
  const made = router.counted.commits;
  expect(made).toBeGreaterThan(1);
  await one.pass(view(1), "news");
  expect(one.status).toMatchObject({ phase: "in-sync", owned: 1 });
  expect(linesOf(router.running)).toHaveLength(1);
  expect(await told(one)).toEqual([
    [1, "done", 1],
    [2, "done", 1],
  ]);
});

test("a push of which the store was not told how it ended is told of by the same daemon", async () => {
  let isAway = false;
  const { router, one, keeper, later } = rig();
  const put = keeper.put.bind(keeper);
  keeper.put = async (...given) => {
    if (isAway) throw new SelvedgeError({ kind: "store" }, "the store is away");
    return put(...given);
  };
  router.between = () => {
    isAway = true;
  };
  await one.pass(view(1), "news");
  expect(one.status).toMatchObject({ phase: "failing", message: "the store is away" });
  expect(await told(one)).toEqual([[1, "begun", 1]]);
  isAway = false;
  later(2_000);
  await one.pass(view(1));
  expect(one.status.phase).toBe("in-sync");
  expect(await one.history()).toMatchObject([
    { revision: 1, result: "unknown", message: "node alpha did not tell how it ended" },
  ]);
});

test("what could not be saved beside a push that fails is saved at the next try", async () => {
  let isFull = false;
  const { router, one, later } = rig({}, (port) => ({
    ...port,
    async save() {
      if (isFull) throw trouble("edge1", "failed", "No space left on device");
      await port.save();
    },
  }));
  await one.pass(view(1), "news");
  const failing = { partly: ["protocols", "static"] };
  router.plan(failing, failing);
  isFull = true;
  for (let i = 0; i < 2; i++) {
    await one.pass(view(2), "news");
    later(61_000);
  }
  expect(one.status.message).toBe("router edge1: No space left on device");
  expect(router.counted.saves).toBe(1);
  isFull = false;
  await one.pass(view(2));
  expect(one.status.phase).toBe("failing");
  expect(router.counted.saves).toBe(2);
});
