import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { gate, keyedLock } from "#lib/lock.ts";

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

test("together side by side; alone only when nobody is, and nobody comes in meanwhile", async () => {
  const door = gate();
  const seen: string[] = [];
  const work = (name: string, ms: number) => async () => {
    seen.push(`+${name}`);
    await sleep(ms);
    seen.push(`-${name}`);
  };
  const both = Promise.all([door.together(work("a", 20)), door.together(work("b", 5))]);
  expect(await door.alone(work("never", 1))).toBe(false);
  await both;
  const alone = door.alone(work("alone", 20));
  expect(await door.alone(work("never", 1))).toBe(false);
  await door.together(work("c", 1));
  expect(await alone).toBe(true);
  expect(seen).toEqual(["+a", "+b", "-b", "-a", "+alone", "-alone", "+c", "-c"]);
});

test("the door opens again after a failure", async () => {
  const door = gate();
  const fail = () => Promise.reject(new Error("no"));
  await expect(door.together(fail)).rejects.toThrow("no");
  await expect(door.alone(fail)).rejects.toThrow("no");
  expect(await door.alone(async () => {})).toBe(true);
  expect(await door.together(async () => 7)).toBe(7);
});
