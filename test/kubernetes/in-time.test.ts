/** What CI is told when there is no time for all this, or when it cannot be made. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { run } from "../../conformance/program.ts";

const TOO_SHORT: readonly (readonly [seconds: string, why: RegExp])[] = [
  ["600", /^left out: no time: (600|5\d\d) s are left, it is not begun with less than \d{4}\n/],
  ["-60", /^left out: no time: -6\d s are left, it is not begun with less than \d{4}\n/],
];
test.each(TOO_SHORT)("of %s seconds nothing is begun, and nothing fails", async (seconds, why) => {
  const { exit, stdout, stderr } = await run(["bash", join(import.meta.dirname, "in-time.sh"), seconds], {
    environment: { PATH: process.env.PATH ?? "" },
  });
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  expect(stdout).toMatch(why);
  expect(stdout).toMatch(/\n0 passed, 0 failed, 0 skipped\n$/);
});

const ENDS: readonly (readonly [prepare: number, run: number, exit: number, stdout: string])[] = [
  [0, 0, 0, "run\n"],
  [0, 1, 1, "run\n"],
  [69, 0, 0, "left out: what it needs cannot be had here, as said above\n0 passed, 0 failed, 0 skipped\n"],
  [1, 0, 1, "failed: our programs or images cannot be made, as said above\n0 passed, 1 failed, 0 skipped\n"],
];
test.each(ENDS)("when making ends with %i and the tests with %i, it is %i", async (prepare, tests, exit, stdout) => {
  const scratch = mkdtempSync(join(tmpdir(), "in-time-"));
  try {
    const at = (name: string) => join(scratch, "test/kubernetes", name);
    mkdirSync(at(""), { recursive: true });
    cpSync(join(import.meta.dirname, "in-time.sh"), at("in-time.sh"));
    writeFileSync(at("prepare.sh"), `exit ${prepare}\n`);
    writeFileSync(at("run.sh"), `echo run $*; exit ${tests}\n`);
    const ended = await run(["bash", at("in-time.sh"), "3600"], { environment: { PATH: process.env.PATH ?? "" } });
    expect(ended).toMatchObject({ exit, stdout });
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
