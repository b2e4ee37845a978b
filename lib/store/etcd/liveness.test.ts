/** What becomes of keys whose lease is over, with an etcd of one key. */
import { expect, test } from "@jest/globals";
import { KeyValue, KV, Lease, type TxnRequest } from "#proto/etcd_pb.ts";
import { liveness } from "./liveness.ts";
import type { Hearing, Members } from "./members.ts";

const KEY = "selvedge/alive/a";

/** @param first whose key it is when it is looked at first; told of each change, `fell` has etcd remove it under the hand. */
async function putAgain(first: "own" | "other" | "nobody", fell = false) {
  const stopping = new AbortController();
  const leases: number[] = [];
  const settled = Promise.withResolvers<void>();
  let there: KeyValue | undefined;
  let isFirst = true;
  const ask = async (method: unknown, request: unknown): Promise<unknown> => {
    if (method === Lease.leaseGrant) leases.push((request as { ID: number }).ID);
    if (method === KV.range) {
      if (isFirst && first !== "nobody")
        there = KeyValue.of({
          key: KEY,
          value: "then",
          modRevision: 7,
          lease: first === "own" ? (leases[0] ?? 0) : 99,
        });
      const shown = there === undefined ? [] : [there];
      if (isFirst && fell) there = undefined;
      isFirst = false;
      if (shown[0]?.lease === leases[1] || shown[0]?.lease === 99) settled.resolve();
      return { kvs: shown };
    }
    if (method === KV.txn) {
      const { compare, success } = request as TxnRequest;
      const put = success[0]?.requestPut;
      if (put !== undefined && compare[0]?.modRevision === (there?.modRevision ?? 0))
        there = KeyValue.of({ ...put, modRevision: 8 });
    }
    return {};
  };
  // The first lease is over, the second is not.
  const hear = async (_: unknown, request: unknown, { onReply }: Hearing<{ TTL: number }>): Promise<void> =>
    void onReply({ TTL: (request as { ID: number }).ID === leases[0] ? 0 : 30 });
  let random = 0;
  const keeping = liveness({ ask, hear } as unknown as Members, {
    livenessSeconds: 0.3,
    signal: stopping.signal,
    random: () => (random += 0.01),
  });
  await keeping.id();
  keeping.holds(KEY, "now");
  await settled.promise;
  stopping.abort();
  await keeping.done;
  return { value: there?.value, isOurs: there?.lease === leases[1] };
}

const CASES: readonly (readonly [
  title: string,
  first: "own" | "other" | "nobody",
  fell: boolean,
  found: { readonly value: string; readonly isOurs: boolean },
])[] = [
  ["that is gone is put with the next", "nobody", false, { value: "now", isOurs: true }],
  ["that is there still is put with the next", "own", false, { value: "now", isOurs: true }],
  ["that goes under the hand is put with the next", "own", true, { value: "now", isOurs: true }],
  ["that somebody else has put is left", "other", false, { value: "then", isOurs: false }],
];
test.each(CASES)("a key of a lease that is over %s", async (_, first, fell, found) =>
  expect(await putAgain(first, fell)).toEqual(found),
);
test("there are cases", () => expect(CASES.length).toBe(4));
