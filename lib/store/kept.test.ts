import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type Kept, kept } from "./kept.ts";

const never = (): Promise<never> => Promise.reject(new Error("is not asked for"));

test("a proof that is lost as soon as it is made is not made again and again", async () => {
  const stopping = new AbortController();
  let made = 0;
  const proof = { make: async () => ++made, renew: async () => false, putAgain: never };
  const keeping = kept(proof, { livenessSeconds: 30, signal: stopping.signal, random: () => 1 });
  expect(await keeping.id()).toBe(1);
  await sleep(500);
  stopping.abort();
  await keeping.done;
  // After 100, 200 and 400 ms.
  expect(made).toBeLessThan(6);
});

test("what is put again with a proof that is lost meanwhile is put once more with the next", async () => {
  const stopping = new AbortController();
  let made = 0;
  const again: string[] = [];
  const done = Promise.withResolvers<void>();
  const keeping: Kept<number> = kept(
    {
      make: async () => ++made,
      // The first goes by itself, the second while it is used.
      renew: async (id) => id > 1,
      putAgain: async ({ key, value }, id) => {
        again.push(`${key} ${value} ${id}`);
        if (id === 2) keeping.lost(id);
        else done.resolve();
        return true;
      },
    },
    { livenessSeconds: 0.3, signal: stopping.signal, random: () => 1 },
  );
  await keeping.id();
  keeping.holds("alive/a", "1");
  await done.promise;
  stopping.abort();
  await keeping.done;
  expect(again).toEqual(["alive/a 1 2", "alive/a 1 3"]);
});
