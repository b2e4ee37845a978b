import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { loop } from "#lib/loop.ts";

test("bursts become one run, a poke during a run is not lost, the signal ends it", async () => {
  const stop = new AbortController();
  let runs = 0;
  let inside = 0;
  const it = loop(
    async () => {
      expect(++inside).toBe(1);
      runs++;
      await sleep(10);
      inside--;
    },
    { everyMs: 60_000, debounceMs: 1, signal: stop.signal },
  );
  await sleep(3);
  for (let i = 0; i < 50; i++) it.poke();
  await sleep(40);
  expect(runs).toBe(2);
  await it.now();
  expect(runs).toBe(3);
  stop.abort();
  await it.done;
  await it.now();
  expect(runs).toBe(3);
});

test("`now` waits for a run that began after it was called", async () => {
  const stop = new AbortController();
  const began: number[] = [];
  const it = loop(
    async () => {
      began.push(began.length);
      await sleep(15);
    },
    { everyMs: 60_000, debounceMs: 1, signal: stop.signal },
  );
  await sleep(5);
  await it.now();
  expect(began).toEqual([0, 1]);
  stop.abort();
  await it.done;
});

test("`now` does not wait until a burst has been gathered", async () => {
  const stop = new AbortController();
  let runs = 0;
  const it = loop(
    async () => {
      runs++;
    },
    { everyMs: 60_000, debounceMs: 60_000, signal: stop.signal },
  );
  it.poke();
  await sleep(5);
  expect(runs).toBe(1);
  await it.now();
  expect(runs).toBe(2);
  stop.abort();
  await it.done;
});
