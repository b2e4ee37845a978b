import { expect, test } from "@jest/globals";
import { traces } from "#lib/daemon/trace.ts";

test("spans tile the time of the request, and only the newest traces are kept", () => {
  let now = 1_000;
  const steps: string[] = [];
  const kept = traces({ capacity: 2, clockUs: () => now, onStep: (step) => steps.push(step) });
  const key = (n: number) => ({ containerId: `c${n}`, ifname: "eth0" });
  const recording = kept.record(key(1), "00-trace");
  now += 5;
  recording.ended("parsed");
  now += 20;
  recording.ended("leased");
  recording.performed([{ do: "add", fact: { type: "sysctl", at: "host", key: "net/ipv4/ip_forward", value: "1" } }]);
  expect(kept.of(key(1))?.spans).toEqual([
    { step: "parsed", startUs: 0, durationUs: 5 },
    { step: "leased", startUs: 5, durationUs: 20 },
  ]);
  expect(kept.of(key(1))?.lines()).toEqual(["+ sysctl net/ipv4/ip_forward=1"]);
  expect(steps).toEqual(["parsed", "leased"]);
  kept.record(key(2), "");
  kept.record(key(3), "");
  expect([1, 2, 3].map((n) => kept.of(key(n)) !== undefined)).toEqual([false, true, true]);
});
