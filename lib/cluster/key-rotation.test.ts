import { expect, test } from "@jest/globals";
import { type Due, due, type Keys, keyInUse, rotated, toldKeys } from "./key-rotation.ts";

const OPTIONS = { rotateHours: 1, leadSeconds: 60 };
const HOUR_MS = 3_600_000;

test("a key's whole life", () => {
  let keys: Keys = { active: "k1", activeSinceMs: 0 };
  const log: [atMs: number, step: Due, told: string[]][] = [];
  for (let now = 0; now <= HOUR_MS + 180_000; now += 10_000) {
    const step = due(keys, now, OPTIONS);
    if (step === undefined) continue;
    keys = rotated(keys, step, now, () => "k2");
    log.push([now - HOUR_MS, step, toldKeys(keys)]);
  }
  expect(log).toEqual([
    [0, "make", ["k2", "k1"]],
    [60_000, "use", ["k2", "k1"]],
    [120_000, "forget", ["k2"]],
  ]);
  expect(keys).toEqual({ active: "k2", activeSinceMs: HOUR_MS + 60_000 });
});

test("after a long sleep the steps follow each other, each with its lead", () => {
  const made = rotated({ active: "k1", activeSinceMs: 0 }, "make", 9 * HOUR_MS, () => "k2");
  expect(due(made, 9 * HOUR_MS, OPTIONS)).toBeUndefined();
  expect(due(made, 9 * HOUR_MS + 60_000, OPTIONS)).toBe("use");
});

test.each<[name: string, heard: Record<string, number>, inUse: string]>([
  ["never heard: the oldest", {}, "old"],
  ["heard by the old one alone", { old: 5 }, "old"],
  ["heard by the new one since", { old: 5, new: 6 }, "new"],
  ["both in one second", { old: 6, new: 6 }, "new"],
  ["the old one was never heard", { new: 6 }, "new"],
])("%s", (_name, heard, inUse) => expect(keyInUse(["new", "old"], (key) => heard[key])).toBe(inUse));

test("a peer without keys uses none", () => expect(keyInUse([], () => undefined)).toBeUndefined());
