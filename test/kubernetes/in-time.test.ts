/** What CI is told when there is no time for all this. */
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { run } from "../../conformance/program.ts";

const TOO_SHORT: readonly (readonly [seconds: string, why: RegExp])[] = [
  ["600", /^left out: no time: (600|5\d\d) s are left, it is not begun with less than 1500\n/],
  ["-60", /^left out: no time: -6\d s are left, it is not begun with less than 1500\n/],
];
test.each(TOO_SHORT)("of %s seconds nothing is begun, and nothing fails", async (seconds, why) => {
  const { exit, stdout, stderr } = await run(["bash", join(import.meta.dirname, "in-time.sh"), seconds], {
    environment: { PATH: process.env.PATH ?? "" },
  });
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(stdout).toMatch(why);
  expect(stdout).toMatch(/\n0 passed, 0 failed, 0 skipped\n$/);
});
