/** A few hundred random calls through the real binaries: an answer each time, and nothing left when all are taken away. */

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { eventually, inside, run } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { fc } from "../support/property.ts";
import { needing } from "../support/requirement.ts";
import { text, variables } from "./arbitrary.ts";

const runs = needing(...LIVE);
const RUNS = 300;

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "rl", config: { ipam: { coolDownSeconds: 0 } } });
  await live.pods("a", "b");
});
afterAll(async () => live?.[Symbol.asyncDispose]());

runs(`${RUNS} configurations and environments`, async () => {
  await fc.assert(
    fc.asyncProperty(variables, text, async (env, input) => {
      const environment = { ...live.daemon.environment, ...env };
      const answer = await run(inside(live.node.namespace, [`${BUILT}/selvedge`]), { environment, input });
      const said = `${answer.stdout}${answer.stderr}`;
      expect({ env, input, said }).not.toEqual({
        env,
        input,
        said: expect.stringMatching(/^\s+at |internal error/m),
      });
      if (answer.exit !== 0) expect(JSON.parse(answer.stdout)).toMatchObject({ msg: expect.any(String) });
      expect(live.rows("attachment").filter(({ phase }) => phase !== "ready")).toEqual([]);
    }),
    // Each run leaves its node to the next: there is nothing to shrink.
    { numRuns: RUNS, seed: 20_264, endOnFailure: true },
  );
  for (const { container_id, ifname, network } of live.rows("attachment")) {
    const variables = { CNI_IFNAME: String(ifname) };
    const asked = await live.ask("DEL", String(container_id), { config: { name: String(network) }, variables });
    expect(asked).toMatchObject({ exit: 0, stdout: "" });
  }
  await eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined)).catch(
    () => {},
  );
  expect(await live.left()).toEqual([]);
  expect(live.daemon.log()).not.toContain('"event":"failed"');
});
