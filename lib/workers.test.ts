import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { workers } from "#lib/workers.ts";

const gate = () => Promise.withResolvers<void>();

test("never more than `size` run, and groups take turns", async () => {
  const pool = workers({ size: 1, limit: 100 });
  const hold = gate();
  const order: string[] = [];
  const all = [pool.run("first", () => hold.promise)];
  for (const name of ["a1", "a2", "a3", "b1", "c1"])
    all.push(pool.run(name.slice(0, 1), async () => void order.push(name)));
  expect([pool.running, pool.queued]).toEqual([1, 5]);
  hold.resolve();
  await Promise.all(all);
  expect(order).toEqual(["a1", "b1", "c1", "a2", "a3"]);
  await pool.idle();
  expect([pool.running, pool.queued]).toEqual([0, 0]);
});

test("a full queue refuses, and a waiter whose caller gives up leaves it", async () => {
  const pool = workers({ size: 1, limit: 1 });
  const hold = gate();
  const caller = new AbortController();
  const running = pool.run("a", () => hold.promise);
  const waiting = pool.run("a", async () => "never", caller.signal);
  await expect(pool.run("a", async () => "refused")).rejects.toThrow("1 requests are waiting already");
  caller.abort();
  const failure = await waiting.catch((error: unknown) => error);
  expect(isFailure(failure, "deadline")).toBe(true);
  const again = pool.run("a", async () => "ran");
  hold.resolve();
  await running;
  expect(await again).toBe("ran");
});

test("failure frees the place", async () => {
  const pool = workers({ size: 1, limit: 1 });
  await expect(pool.run("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await pool.run("a", async () => 1)).toBe(1);
});
