/** Pauses, and their ends, at the moment when the router is worked on. */
import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import type { Pause } from "#lib/edge/record.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { space } from "#lib/store/shared-memory.ts";
import { type Keeper, type Memory, memory } from "./memory.ts";
import { carriedOut, pauseAfter, pauseFor } from "./pauses.ts";
import { rig, view } from "./pusher-rig.ts";

const PROBE = { address: address("203.0.113.9"), port: 443 };
const HARM = "revision 2 was taken back: of 1 probes 1 get no answer any more: 203.0.113.9:443";

/** A push that does harm is about to come; `meanwhile` is what happens while it is watched. */
async function harmful(meanwhile: (found: ReturnType<typeof rig>) => Promise<unknown> = async () => {}) {
  let isReached = true;
  let isWatched = false;
  const found = rig(
    { verifyMs: 1_000, probes: [PROBE] },
    undefined,
    undefined,
    async () => {
      if (!isWatched) await meanwhile(found);
      isWatched = true;
    },
    async () => isReached,
  );
  await found.one.pass(view(1), "news");
  found.router.between = () => {
    isReached = false;
    found.router.between = undefined;
  };
  return found;
}

test("what is still to be undone is undone on a router that a person pauses, and nothing said is lost", async () => {
  const { router, one, later } = await harmful();
  const { between } = router;
  router.between = () => {
    between?.();
    router.plan({ refuse: "locked" });
  };
  await one.pass(view(2), "news");
  expect(one.status.phase).toBe("failing");
  expect(linesOf(router.running)).toHaveLength(2);
  await one.pause("new cables");
  expect(one.status).toMatchObject({
    phase: "paused",
    message: `not done yet: by alpha: new cables; by alpha: ${HARM}`,
  });
  later(2_000);
  await one.pass(view(2));
  expect(one.status).toMatchObject({ phase: "paused", message: `by alpha: new cables; by alpha: ${HARM}` });
  expect(linesOf(router.running)).toHaveLength(1);
  // Of what is done a new pause says nothing.
  await one.pause("newer cables");
  expect(one.status.message).toBe("by alpha: newer cables");
});

test("a person's pause while a push is watched stays in what is said of its end", async () => {
  const { router, one } = await harmful(({ make }) => make("beta").pause("new cables"));
  await one.pass(view(2), "news");
  expect(one.status).toMatchObject({ phase: "paused", message: `by alpha: ${HARM}; by beta: new cables` });
  expect(linesOf(router.running)).toHaveLength(1);
});

test("whoever resumes while a push is taken back has it made again at once", async () => {
  const { router, one, make } = await harmful();
  const other = make("beta");
  const { between } = router;
  router.between = () => {
    between?.();
    // The commit that takes it back.
    router.between = () => {
      router.between = undefined;
      void other.resume();
    };
  };
  await one.pass(view(2), "news");
  expect(linesOf(router.running)).toHaveLength(1);
  expect(one.status.phase).toBe("starting");
  expect(one.nextMs).toBe(0);
});

test("news of a pause or its end during a pass are heeded right after it", async () => {
  const { router, one } = rig();
  await one.pause("new cables");
  await one.resume();
  router.between = () => one.wake();
  await one.pass(view(1));
  expect(one.status.phase).toBe("in-sync");
  expect(one.nextMs).toBe(0);
  router.between = undefined;
  await one.pass(view(1));
  expect(one.nextMs).toBe(1_060_000);
});

const PAUSE: Pause = { by: "alpha", why: "new cables", atMs: 1 };
const BACK: Pause = { by: "alpha", why: "harm", atMs: 2, backTo: 3 };

/** What one node says of a pause, and what another does between its look and its word. */
const MEANWHILE: readonly (readonly [
  name: string,
  before: Pause,
  says: (memory: Memory) => Promise<unknown>,
  meanwhile: Pause | undefined,
  after: Pause | undefined,
])[] = [
  ["what was undone is resumed", BACK, (memory) => carriedOut(memory, BACK, []), undefined, undefined],
  [
    "a person pauses while another does",
    PAUSE,
    (memory) => pauseFor(memory, PAUSE),
    BACK,
    { ...PAUSE, why: "new cables; by alpha: harm", backTo: 3 },
  ],
  ["a push did harm while it is resumed", PAUSE, (memory) => pauseAfter(memory, BACK), undefined, BACK],
];
test.each(MEANWHILE)("%s: nobody's word is lost", async (_name, before, says, meanwhile, after) => {
  const keeper = space().open();
  const others = memory(keeper, "edge1");
  await others.putPause(before);
  let isFirst = true;
  const slow: Keeper = {
    get: async (key) => {
      const entry = await keeper.get(key);
      if (isFirst) await others.putPause(meanwhile);
      isFirst = false;
      return entry;
    },
    list: keeper.list.bind(keeper),
    put: keeper.put.bind(keeper),
    remove: keeper.remove.bind(keeper),
  };
  await says(memory(slow, "edge1"));
  expect(await others.pause()).toEqual(after);
});
