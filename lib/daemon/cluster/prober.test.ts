import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { Asked, Echo } from "#lib/echo/echo.ts";
import { prober } from "./prober.ts";

const EVERY_MS = 20;
const [A4, B4, B6, C6] = ["192.0.2.1", "192.0.2.2", "2001:db8::2", "2001:db8::3"].map((each) => address(each)) as [
  Address,
  Address,
  Address,
  Address,
];
const peer = (name: string, addresses: readonly Address[], uid = `uid-${name}`): NodeRecord =>
  ({ name, uid, addresses, echoPort: 4_796 }) as unknown as NodeRecord;

/** A prober on a clock of its own: what it asks is written down, and answered when the test says so. */
function world(peers: NodeRecord[], own: readonly Address[] = [A4]) {
  const asked: (Asked & { readonly nonce: bigint; readonly isClose: boolean })[] = [];
  const state = { nowUs: 0 };
  const of = prober({ peers: () => peers, own: () => own, everyMs: EVERY_MS, clockUs: () => state.nowUs });
  const echo: Echo = {
    port: 1,
    ask: (to, nonce) => void asked.push({ ...to, nonce, isClose: false }),
    askClosely: (to, nonce) => void asked.push({ ...to, nonce, isClose: true }),
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    of,
    state,
    asked,
    /** So many rounds of it. */
    async rounds(count: number, onQuestion: (nonce: bigint) => void = () => {}) {
      const end = new AbortController();
      let done = 0;
      let told: readonly string[] = [];
      const running = of.run(
        echo,
        (names) => {
          told = names;
          for (const { nonce } of asked.slice(-peers.length)) onQuestion(nonce);
          done += 1;
          if (done === count) end.abort();
        },
        end.signal,
      );
      await Promise.race([running, sleep(5_000)]);
      expect(done).toBe(count);
      return told;
    },
  };
}

test("a peer is asked by the family that this node prefers, else by one that both have, else not at all", async () => {
  const six = address("2001:db8::1");
  for (const [own, peers, expected] of [
    [[six, A4], [peer("b", [B4, B6])], [B6]],
    [[A4], [peer("b", [B6, B4])], [B4]],
    [[A4], [peer("c", [C6])], []],
  ] as const) {
    const { asked, rounds } = world([...peers], own);
    await rounds(1);
    expect(asked.map((each) => each.address)).toEqual(expected);
  }
});

test("round trips are counted, and what is not answered is lost when its time is over", async () => {
  const { of, state, rounds } = world([peer("b", [B4])]);
  expect(of.report("b")).toBeUndefined();
  await rounds(1, (nonce) => {
    state.nowUs = 700;
    of.heard(nonce);
  });
  expect(of.report("b")).toMatchObject({ sent: 1, lost: 0, lostInARow: 0, rttUs: { last: 700 } });
  await rounds(2);
  expect(of.report("b")).toMatchObject({ sent: 1, lost: 0 });
  state.nowUs += 1_000_000;
  expect(of.report("b")).toMatchObject({ sent: 3, lost: 2, lostInARow: 2 });
});

test("one that has missed an answer is asked closely, and its machine may answer for it", async () => {
  const { of, state, asked, rounds } = world([peer("b", [B4])]);
  await rounds(1);
  state.nowUs += 1_000_000;
  await rounds(1, of.refused);
  expect(asked.map(({ isClose }) => isClose)).toEqual([false, true]);
  expect(of.machineAnswers("b")).toBe(true);
  state.nowUs += 2_999_999;
  expect(of.machineAnswers("b")).toBe(true);
  state.nowUs += 1;
  expect(of.machineAnswers("b")).toBe(false);
});

test("another machine by the name begins anew, and one that is no more is forgotten", async () => {
  const peers = [peer("b", [B4])];
  const { of, state, rounds } = world(peers);
  await rounds(1);
  state.nowUs += 1_000_000;
  expect(of.report("b")?.lost).toBe(1);
  peers[0] = peer("b", [B4], "another");
  await rounds(1);
  expect(of.report("b")?.lost).toBe(0);
  peers.pop();
  await rounds(1);
  expect(of.report("b")).toBeUndefined();
});

test("an answer to nothing, and one that comes too late, count for nothing", async () => {
  const { of, state, asked, rounds } = world([peer("b", [B4])]);
  of.heard(1n);
  await rounds(1);
  state.nowUs += 1_000_000;
  of.heard(asked[0]?.nonce ?? 0n);
  expect(of.report("b")).toMatchObject({ sent: 1, lost: 1 });
});

test("all are asked in a round, though not at once, and the round tells whom", async () => {
  const many = Array.from({ length: 60 }, (_, i) => peer(`n${i}`, [address(`192.0.2.${i + 2}`)]));
  const { asked, rounds } = world(many);
  expect(await rounds(1)).toEqual(many.map(({ name }) => name));
  expect(new Set(asked.map((each) => each.address)).size).toBe(60);
  expect(new Set(asked.map(({ nonce }) => nonce)).size).toBe(60);
});
