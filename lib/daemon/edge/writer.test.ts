import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { space } from "#lib/store/shared-memory.ts";
import { type Elected, writer } from "./writer.ts";

const idle = async (): Promise<void> => {};

/** @param meanwhile what others do while alpha waits */
function rig(meanwhile: (others: { beta: Elected; gamma: Elected }) => Promise<unknown>) {
  const store = space();
  const elected = (node: string, wait: () => Promise<unknown>): Elected =>
    writer(store.open(), "edge1", { node, uid: `uid-${node}` }, wait);
  const [beta, gamma] = [elected("beta", idle), elected("gamma", idle)];
  const keeper = store.open();
  return { beta, gamma, keeper, alpha: elected("alpha", () => meanwhile({ beta, gamma })) };
}

test("a node that asks becomes the writer when the writer gives way, and nobody comes in between", async () => {
  const between: boolean[] = [];
  const { alpha, beta, keeper } = rig(async ({ beta: writing, gamma }) => {
    await writing.giveWay();
    between.push(await gamma.hold(), await writing.hold());
  });
  expect(await beta.hold()).toBe(true);
  await alpha.take();
  expect(between).toEqual([false, false]);
  expect([alpha.holder, await alpha.hold(), await beta.hold()]).toEqual(["alpha", true, false]);
  // Nobody asks any more: the next that ends is followed by anybody.
  expect(await keeper.get("edge/edge1/asked")).toBeUndefined();
  await alpha.release();
  expect(await beta.hold()).toBe(true);
});

test("a writer that does not let go is named", async () => {
  const { alpha, beta, keeper } = rig(idle);
  await beta.hold();
  await expect(alpha.take()).rejects.toThrow("node beta writes to router edge1 and has not let go of it in 25 s");
  expect(await keeper.get("edge/edge1/asked")).toBeUndefined();
  await beta.giveWay();
  expect(await beta.hold()).toBe(true);
});

test("of two that ask the first becomes it first", async () => {
  const order: string[] = [];
  const { alpha, beta, gamma, keeper } = rig(async () => {
    if (await beta.hold()) {
      await beta.giveWay();
      await gamma.take();
      order.push("gamma");
    } else await gamma.giveWay();
  });
  await beta.hold();
  await keeper.put("edge/edge1/asked", JSON.stringify({ node: "gamma", uid: "uid-gamma" }));
  await alpha.take();
  order.push("alpha");
  expect(order).toEqual(["gamma", "alpha"]);
  expect([await alpha.hold(), await beta.hold(), await gamma.hold()]).toEqual([true, false, false]);
});

test("a node whose entry has lapsed unheard leaves the next writer's alone", async () => {
  const { alpha, beta, keeper } = rig(idle);
  expect(await alpha.hold()).toBe(true);
  await keeper.remove("edge/edge1/writer");
  expect(await beta.hold()).toBe(true);
  await keeper.put("edge/edge1/asked", JSON.stringify({ node: "gamma", uid: "uid-gamma" }));
  await alpha.giveWay();
  await alpha.release();
  expect(await beta.hold()).toBe(true);
});

test("what could not be taken away at the end of an order changes nothing of how it ended, and goes later", async () => {
  const { alpha, beta, gamma, keeper } = rig(idle);
  await beta.hold();
  let isAway = true;
  const asking = writer(
    {
      get: keeper.get.bind(keeper),
      list: keeper.list.bind(keeper),
      put: keeper.put.bind(keeper),
      async remove(...given) {
        if (isAway) throw new SelvedgeError({ kind: "store" }, "the store is away");
        return keeper.remove(...given);
      },
    },
    "edge1",
    { node: "delta", uid: "uid-delta" },
    () => beta.giveWay(),
  );
  await asking.take();
  expect(asking.holder).toBe("delta");
  expect(await keeper.get("edge/edge1/asked")).toBeDefined();
  isAway = false;
  await asking.giveWay();
  expect(await keeper.get("edge/edge1/asked")).toBeUndefined();
  await asking.release();
  expect([await gamma.hold(), await alpha.hold()]).toEqual([true, false]);
});
