/** SIGKILL of the plugin at moments that nobody chose: whatever it had asked for is whole, or gone after the DEL that follows. */
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { end, eventually } from "../../conformance/program.ts";
import type { Verb } from "../support/invocation.ts";
import { everything, LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { seeded } from "../support/seeded.ts";

const runs = needing(...LIVE);
const SEED = 20_262;
const KILLS = 150;
/** Longer than a whole ADD takes. */
const LATEST_MS = 30;
const wish = { config: everything(8_080) };

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "kp", config: { ipam: { coolDownSeconds: 0 } } });
  await live.pods("kp-a");
});
afterAll(async () => live?.[Symbol.asyncDispose]());

async function killed(verb: Verb, afterMs: number): Promise<void> {
  const child = live.begin(verb, "kp-a", wish);
  const ended = once(child, "close");
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  end(child, "SIGKILL");
  await ended;
}

runs(`killed ${KILLS} times in ADD and ${KILLS} times in DEL (seed ${SEED})`, async () => {
  const random = seeded(SEED);
  for (let i = 0; i < KILLS; i++) {
    await killed("ADD", random() * LATEST_MS);
    // SPEC "ADD": a DEL follows a failed ADD. It is killed too, and asked again as a runtime would.
    await killed("DEL", random() * LATEST_MS);
    expect(await live.ask("DEL", "kp-a", wish)).toMatchObject({ exit: 0, stdout: "" });
    await eventually(`nothing is left after ${i} kills`, async () =>
      (await live.left()).length === 0 ? true : undefined,
    );
    if (i % 10 !== 0) continue;
    expect(await live.ask("ADD", "kp-a", wish)).toMatchObject({ exit: 0 });
    expect(await live.ask("CHECK", "kp-a", wish)).toMatchObject({ exit: 0, stdout: "" });
  }
  expect(await live.ask("DEL", "kp-a", wish)).toMatchObject({ exit: 0 });
  expect(live.daemon.log()).not.toContain('"event":"failed"');
});
