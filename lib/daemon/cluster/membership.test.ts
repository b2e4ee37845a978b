import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { mac } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { Event } from "#lib/log.ts";
import { memory } from "#lib/store/memory.ts";
import { type MemoryShared, type Space, space } from "#lib/store/shared-memory.ts";
import type { Named, Store } from "#lib/store/store.ts";
import { type Membership, membership } from "./membership.ts";

const LIVENESS_SECONDS = 0.2;

interface Node extends AsyncDisposable {
  readonly member: Membership;
  readonly client: MemoryShared;
  readonly store: Store;
  readonly log: Event[];
}

const recordOf = (name: string, uid: string): NodeRecord => ({
  name,
  uid,
  addresses: [],
  segments: [],
  ways: ["direct"],
  tunnelMac: mac("02:00:00:00:00:01"),
  tunnelAddresses: [],
  echoPort: 4_796,
  version: "test",
});

function join(at: Space, name: string, uid = `${name}-1`, kept: readonly Named[] = []): Node {
  const client = at.open({ livenessSeconds: LIVENESS_SECONDS });
  const store = memory();
  const log: Event[] = [];
  const self = { name, uid, tunnelMac: mac("02:00:00:00:00:01") };
  const member = membership(
    { store, log: (event) => void log.push(event), nowMs: Date.now },
    { shared: client, self, kept, onChange: () => {} },
  );
  const ending = new AbortController();
  member.say(recordOf(name, uid));
  const running = member.run(ending.signal);
  return {
    member,
    client,
    store,
    log,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
      await client[Symbol.asyncDispose]();
    },
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500 && !(await holds()); tries++) await sleep(10);
  expect(await holds()).toBe(true);
}
const sees = ({ member }: Node, name: string, uid = `${name}-1`): boolean =>
  member.view.nodes.get(name)?.uid === uid && member.view.alive.get(name) === uid;

test("nodes know each other, and who is heard of no more", async () => {
  const at = space();
  await using a = join(at, "a");
  const b = join(at, "b");
  await until(() => sees(a, "b") && sees(b, "a"));
  await b[Symbol.asyncDispose]();
  await until(() => !a.member.view.alive.has("b"));
  expect(a.member.view.nodes.has("b")).toBe(true);
});

test("a name that a living node has is not taken; that of a dead one is", async () => {
  const at = space();
  const first = join(at, "a", "one");
  await using watcher = join(at, "w");
  await until(() => sees(watcher, "a", "one"));
  await using second = join(at, "a", "two");
  await until(() => second.member.nameHolder === "one");
  expect(second.log).toContainEqual({ event: "name-taken", node: "a", by: "one" });
  expect(sees(watcher, "a", "one")).toBe(true);
  await first[Symbol.asyncDispose]();
  await until(() => sees(watcher, "a", "two"));
  expect(second.member.nameHolder).toBeUndefined();
});

test("a node whose record was taken away writes it again", async () => {
  const at = space();
  await using a = join(at, "a");
  await until(() => sees(a, "a"));
  const other = at.open();
  await other.remove("nodes/a");
  expect(await other.get("nodes/a")).toBeUndefined();
  await until(async () => (await other.get("nodes/a")) !== undefined);
  await until(() => sees(a, "a"));
});

test("without the store everything stays, over a restart too", async () => {
  const at = space();
  await using b = join(at, "b");
  const a = join(at, "a");
  await until(() => sees(a, "b") && sees(b, "a"));
  at.stop();
  await until(() => a.member.connected === false);
  expect(a.member.away).toBe("the shared store (in memory) is not reached");
  expect(sees(a, "b")).toBe(true);
  await a[Symbol.asyncDispose]();
  const { shared } = await a.store.load();
  await using again = join(at, "a", "a-1", shared);
  expect([again.member.informed, again.member.view.nodes.get("b")?.uid]).toEqual([true, "b-1"]);
  at.start();
  await until(() => sees(again, "b"));
});
