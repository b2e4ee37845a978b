import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { keyedLock } from "#lib/lock.ts";

test("one key is sequential and in order, also after a failure; keys are independent", async () => {
  const lock = keyedLock();
  const seen: string[] = [];
  const work = (name: string, ms: number) => async () => {
    seen.push(`+${name}`);
    await sleep(ms);
    seen.push(`-${name}`);
    if (name === "a1") throw new Error("a1 failed");
    return name;
  };
  const results = await Promise.allSettled([
    lock("a", work("a1", 20)),
    lock("a", work("a2", 1)),
    lock("b", work("b1", 5)),
  ]);
  expect(results.map((r) => r.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(seen).toEqual(["+a1", "+b1", "-b1", "-a1", "+a2", "-a2"]);
});

test("a key is held while work runs or waits", async () => {
  const lock = keyedLock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = lock("a", () => promise);
  expect([lock.held("a"), lock.held("b")]).toEqual([true, false]);
  resolve();
  await running;
  expect(lock.held("a")).toBe(false);
});
