/** Where a watch goes on, with an etcd that says what the test wants. */
import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { KeyValue, WatchResponse } from "#proto/etcd_pb.ts";
import type { Hearing, Members } from "./members.ts";
import { type EtcdChange, type Position, watch } from "./watch.ts";

const header = (revision: number) => ({ clusterId: 7, revision });
const kv = (key: string, modRevision: number) => KeyValue.of({ key, value: `${modRevision}`, modRevision });
const created = WatchResponse.of({ created: true, header: header(1) });
const progress = (revision: number) => WatchResponse.of({ header: header(revision) });
const put = (key: string, revision: number) =>
  WatchResponse.of({ header: header(revision), events: [{ type: 0, kv: kv(key, revision) }] });
const removed = (key: string, revision: number) =>
  WatchResponse.of({
    header: header(revision),
    events: [{ type: 1, kv: KeyValue.of({ key, modRevision: revision }) }],
  });
const canceled = (compactRevision: number, cancelReason = "") =>
  WatchResponse.of({ canceled: true, compactRevision, cancelReason });

interface Script {
  /** What each stream says, in turn; a stream that ends without `canceled` is broken off. */
  readonly streams: readonly (readonly WatchResponse[])[];
  /** Revisions of the lists, in turn. */
  readonly lists: readonly number[];
  readonly positions: readonly (Position | SelvedgeError)[];
}

/** The revisions that were watched from, and all that was told, until the script is at its end. */
async function played({ streams, lists, positions }: Script) {
  const ends = new AbortController();
  const from: number[] = [];
  const told: string[] = [];
  const next = { stream: 0, list: 0, position: 0 };
  const hear = async (_: unknown, request: unknown, { onReply }: Hearing<WatchResponse>): Promise<void> => {
    const { createRequest } = request as { createRequest: { startRevision: number; progressNotify: boolean } };
    expect(createRequest.progressNotify).toBe(true);
    from.push(createRequest.startRevision);
    const replies = streams[next.stream++];
    if (next.stream === streams.length) ends.abort();
    for (const reply of replies ?? []) if (onReply(reply)) return;
    throw new SelvedgeError({ kind: "store" }, "broken");
  };
  await watch({
    members: { hear } as unknown as Members,
    prefix: "/t/",
    list: async () => ({ kvs: [kv("/t/a", 1)], at: { revision: lists[next.list++] ?? 0, clusterId: 7 } }),
    position: async () => {
      const at = positions[next.position++];
      if (at === undefined || at instanceof SelvedgeError) throw at ?? new Error("no position");
      return at;
    },
    onChange: (change: EtcdChange) =>
      void told.push(
        "all" in change ? "all" : "put" in change ? `${change.put.key}=${change.put.value}` : `-${change.remove}`,
      ),
    onConnection: (connected, why) => void told.push(connected ? "connected" : `lost: ${why?.message}`),
    signal: ends.signal,
    random: () => 0,
  });
  return { from, told };
}

test("it goes on after the last change, or after what the store has said of its progress", async () => {
  const { from, told } = await played({
    lists: [10],
    streams: [[created, put("/t/b", 12), removed("/t/b", 14)], [created, put("/t/c", 20), progress(90)], []],
    positions: [header(15), header(95)],
  });
  expect(from).toEqual([11, 15, 91]);
  expect(told).toEqual([
    "all",
    "connected",
    "/t/b=12",
    "-/t/b",
    "lost: broken",
    "connected",
    "/t/c=20",
    "lost: broken",
  ]);
});

test("after a compaction it lists again", async () => {
  const { from, told } = await played({ lists: [10, 50], streams: [[created, canceled(40)], []], positions: [] });
  expect(from).toEqual([11, 51]);
  expect(told).toEqual(["all", "connected", "all"]);
});

test.each([
  ["that is another cluster's", { clusterId: 8, revision: 99 }],
  ["that was restored from a backup", { clusterId: 7, revision: 9 }],
])("a store %s is read anew", async (_, at) => {
  const { from, told } = await played({ lists: [10, 30], streams: [[created], []], positions: [at] });
  expect(from).toEqual([11, 31]);
  expect(told).toEqual(["all", "connected", "lost: broken", "all"]);
});

test("a member that lags behind the others is no reason to begin anew", async () => {
  const lagging = WatchResponse.of({ created: true, header: header(3) });
  const { from, told } = await played({
    lists: [10],
    streams: [[created, put("/t/b", 12)], [lagging, put("/t/c", 13)], []],
    positions: [header(12), header(13)],
  });
  expect(from).toEqual([11, 13, 14]);
  expect(told.filter((line) => line === "all")).toHaveLength(1);
});

test("what ends a watch for another reason is told by the next request", async () => {
  const denied = new SelvedgeError({ kind: "store" }, "permission denied");
  const { told } = await played({
    lists: [10],
    streams: [[created], [created, canceled(0, "permission denied")], []],
    positions: [header(10), denied, header(10)],
  });
  expect(told).toEqual([
    "all",
    "connected",
    "lost: broken",
    "connected",
    "lost: etcd has ended the watch of /t/: permission denied",
  ]);
});
