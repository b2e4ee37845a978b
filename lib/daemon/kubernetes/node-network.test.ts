import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import type { NetworkSaid } from "#lib/k8s/node-object.ts";
import type { Event } from "#lib/log.ts";
import { nodeNetwork } from "./node-network.ts";

/** Looks once a second, for so many seconds; `fails` says what the API server answers. */
function rig() {
  const stopping = new AbortController();
  const waitingFor = new Set<string>();
  const said: NetworkSaid[] = [];
  const logged: string[] = [];
  const around = { atMs: 1_000_000, fails: "", asked: 0, onAsked: () => {} };
  const look = nodeNetwork(
    { waitingFor, nowMs: () => around.atMs, log: ({ event }: Event) => void logged.push(event) },
    {
      async sayNetwork(told) {
        around.asked++;
        around.onAsked();
        if (around.fails !== "") throw new SelvedgeError({ kind: "not-ready" }, around.fails);
        said.push(told);
      },
    },
    stopping.signal,
  );
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      await look();
      around.atMs += 1_000;
    }
  };
  return { waitingFor, said, logged, around, pass, stopping };
}

test("a daemon that serves is said to, once, and again after five minutes", async () => {
  const { said, logged, pass } = rig();
  await pass(300);
  const serves = { isAvailable: true, message: "selvedged attaches pods", sinceMs: 1_000_000 };
  expect(said).toEqual([{ ...serves, nowMs: 1_000_000 }]);
  await pass(1);
  expect(said[1]).toEqual({ ...serves, nowMs: 1_300_000 });
  expect(logged).toEqual(["node-network"]);
});

test("one that waits is said to after a minute, with its reason, and served by at once", async () => {
  const { waitingFor, said, pass } = rig();
  waitingFor.add("it is starting");
  await pass(60);
  expect(said).toEqual([]);
  await pass(2);
  expect(said).toEqual([{ isAvailable: false, message: "it is starting", sinceMs: 1_060_000, nowMs: 1_060_000 }]);
  waitingFor.clear();
  await pass(1);
  expect(said[1]).toMatchObject({ isAvailable: true, sinceMs: 1_062_000 });
});

test("a short wait is nobody's business", async () => {
  const { waitingFor, said, pass } = rig();
  await pass(1);
  waitingFor.add("policies are not known yet");
  await pass(59);
  waitingFor.clear();
  await pass(10);
  expect(said).toHaveLength(1);
});

test("what was not heard is said again every ten seconds, and complained of once", async () => {
  const { said, logged, around, pass } = rig();
  around.fails = "may not patch nodes/status: 403 forbidden";
  await pass(30);
  expect([around.asked, logged]).toEqual([3, ["node-network-failed"]]);
  around.fails = "";
  await pass(1);
  expect([said.length, logged]).toEqual([1, ["node-network-failed", "node-network"]]);
});

test("what the daemon's own end cuts off is no failure", async () => {
  const { logged, around, pass, stopping } = rig();
  around.fails = "https://192.0.2.1:6443: aborted";
  around.onAsked = () => stopping.abort();
  await pass(1);
  expect([around.asked, logged]).toEqual([1, []]);
});
