import { expect, test } from "@jest/globals";
import type { Entry } from "#lib/api/queue.ts";
import type { Request } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Event } from "#lib/log.ts";
import { memory } from "#lib/store/memory.ts";
import { contested } from "./contested.ts";
import type { Core } from "./core.ts";
import { replay } from "./replay.ts";
import { table } from "./table.ts";

type Step = "list" | "read" | "remove" | "unmark";

const del = (containerId: string): Request => ({
  containerId,
  netns: "",
  ifname: "eth0",
  args: "",
  path: "",
  config: new Uint8Array(),
  netnsInode: 0,
  traceparent: "",
  tracestate: "",
  allowOwnNetns: false,
});

/** A queue of two entries, of which the first meets trouble at that step while `trouble.at` names it. */
function rig(at: Step) {
  const trouble: { at: Step | undefined } = { at };
  const fail = (step: Step, name: string) => {
    if (trouble.at === step && name === "1-a") throw new SelvedgeError({ kind: "store" }, `${step}: EMFILE`);
  };
  const entries = new Map([
    ["1-a", del("a")],
    ["2-b", del("b")],
  ]);
  const store = memory();
  const events: Event[] = [];
  const carried: string[] = [];
  const core = {
    queue: {
      async list(unread: (error: SelvedgeError) => void) {
        const isTrouble = trouble.at === "list";
        if (isTrouble) unread(new SelvedgeError({ kind: "store" }, "list: EIO"));
        const names = [...entries.keys()].filter((name) => !(isTrouble && name === "1-a"));
        return names.map((name): Entry => ({ name, directory: "/queue" }));
      },
      async read({ name }: Entry) {
        fail("read", name);
        return entries.get(name);
      },
      async remove({ name }: Entry) {
        fail("remove", name);
        entries.delete(name);
      },
    },
    store: {
      ...store,
      async commit(changes: Parameters<typeof store.commit>[0]) {
        for (const change of changes)
          if ("remove" in change && change.remove === "replayed") fail("unmark", change.name);
        await store.commit(changes);
      },
    },
    table: table(contested),
    nowMs: () => 0,
    log: (event: Event) => void events.push(event),
  } as unknown as Core;
  const [done, told] = [new Set<string>(), new Map<string, Set<string>>()];
  const run = () =>
    replay(core, done, told, async ({ containerId }, alsoCommit) => {
      await core.store.commit(alsoCommit);
      carried.push(containerId);
    });
  const said = () => events.flatMap((event) => (event.event === "replayed" ? [`${event.entry} ${event.outcome}`] : []));
  return { run, trouble, entries, carried, said };
}

const CASES: readonly [step: Step, queued: readonly string[], said: readonly string[], later: readonly string[]][] = [
  ["list", ["1-a"], [" failed", "2-b done"], ["1-a done"]],
  ["read", ["1-a"], ["1-a failed", "2-b done"], ["1-a done"]],
  ["remove", ["1-a"], ["1-a done", "1-a failed", "2-b done", "1-a skipped"], []],
  ["unmark", [], ["1-a done", "1-a failed", "2-b done"], []],
];

test.each(CASES)(
  "trouble at the step %s waits for the next time, is said once, and holds nothing up",
  async (step, queued, said, later) => {
    const one = rig(step);
    for (let i = 0; i < 2; i++) await one.run();
    expect([...one.entries.keys()]).toEqual(queued);
    expect(one.said()).toEqual(said);
    one.trouble.at = undefined;
    for (let i = 0; i < 2; i++) await one.run();
    expect([...one.entries.keys()]).toEqual([]);
    expect(one.carried.toSorted()).toEqual(["a", "b"]);
    expect(one.said()).toEqual([...said, ...later]);
  },
);

test("there are cases", () => expect(CASES.length).toBe(4));
