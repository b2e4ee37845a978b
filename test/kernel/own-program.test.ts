import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const MIB = 2 ** 20;

/** A process of its own: this one has long read what it needs. */
const PROGRAM = `
  const { giveBackProgram } = await import("#native/memory.ts");
  const before = process.memoryUsage.rss();
  const given = giveBackProgram();
  console.log(JSON.stringify({ given, left: process.memoryUsage.rss() - before }));
`;

test("what a program's start has read of its file is resident no more, and the program goes on", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", PROGRAM]);
  const { given, left } = JSON.parse(stdout) as { given: number; left: number };
  expect(given).toBeGreaterThan(10 * MIB);
  expect(left).toBeLessThan(-given / 2);
});
