import { expect, test } from "@jest/globals";
import type { Refused } from "./ask.ts";
import { say } from "./say.ts";

const EDGE = { kind: "Router", name: "edge1", uid: "u", generation: 1 };
const said = (answer: Refused) => say(async () => answer, EDGE, []);

test("what is not taken of one object is told from what is not taken at all, and from another of its name", async () => {
  const message = 'Router.selvedge.dev "edge1" is invalid: spec.url: Required value';
  await expect(said({ status: 422, message })).rejects.toMatchObject({
    failure: { kind: "config-invalid" },
    message: `may not patch routers/status: 422 ${message}`,
  });
  await expect(said({ status: 403, message: "forbidden" })).rejects.toMatchObject({ failure: { kind: "not-ready" } });
  const step = "the server rejected our request due to an error in our request";
  expect([await said({ status: 422, message: step }), await said({ status: 404, message: "" })]).toEqual([
    false,
    false,
  ]);
});
