import { expect, test } from "@jest/globals";
import type { Event } from "#lib/log.ts";
import { deniedLog } from "./denied-log.ts";
import type { ToldFlow } from "./told-flows.ts";

const flow = (packets: number, port = 80): ToldFlow => ({
  from: "a/b",
  to: "192.0.2.7",
  protocol: "tcp",
  port,
  verdict: "deny",
  packets,
  because: "NetworkPolicy a/only accepts only other egress traffic",
});

function rig() {
  const events: Event[] = [];
  let now = 0;
  const tell = deniedLog(
    (event) => void events.push(event),
    () => now,
  );
  return {
    /** What the flows of that moment add to the log, in short. */
    at(seconds: number, flows: readonly ToldFlow[]): string[] {
      now = seconds * 1_000;
      tell(flows);
      return events
        .splice(0)
        .map((event) => (event.event === "flow-denied" ? `${event.port}: ${event.packets}` : JSON.stringify(event)));
    },
  };
}

test("a flow is told of when it begins, again after a minute, and not while nothing comes", () => {
  const log = rig();
  expect(log.at(0, [flow(3)])).toEqual(["80: 3"]);
  expect(log.at(10, [flow(9)])).toEqual([]);
  expect(log.at(61, [flow(9)])).toEqual(["80: 6"]);
  expect(log.at(130, [flow(9)])).toEqual([]);
  expect(log.at(140, [flow(10)])).toEqual(["80: 1"]);
});

test("one that the kernel has forgotten begins anew", () => {
  const log = rig();
  expect(log.at(0, [flow(9)])).toEqual(["80: 9"]);
  expect(log.at(10, [flow(2)])).toEqual(["80: 2"]);
  expect(log.at(20, [])).toEqual([]);
  expect(log.at(30, [flow(2)])).toEqual(["80: 2"]);
});

test("of very many some are told of, and the others counted", () => {
  const lines = rig().at(
    0,
    Array.from({ length: 130 }, (_, i) => flow(1, i + 1)),
  );
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toBe('{"event":"flows-unsaid","flows":30}');
});
