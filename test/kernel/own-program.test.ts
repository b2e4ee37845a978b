import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";

const MIB = 2 ** 20;

/** Processes of their own: this one has long read what it needs. */
const run = async (program: string, ...flags: readonly string[]): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", program]);
  return JSON.parse(stdout);
};

const READS = `
  const { giveBackProgram } = await import("#native/memory.ts");
  const before = process.memoryUsage.rss();
  const given = giveBackProgram();
  console.log(JSON.stringify({ given, left: process.memoryUsage.rss() - before }));
`;

test("what a program's start has read of its file is resident no more, and the program goes on", async () => {
  const { given, left } = (await run(READS)) as { given: number; left: number };
  expect(given).toBeGreaterThan(10 * MIB);
  expect(left).toBeLessThan(-given / 2);
});

const LITTERS = `
  const { collectGarbage } = await import("#native/memory.ts");
  const rss = () => process.memoryUsage.rss();
  let litter = Array.from({ length: 1_000_000 }, (_, n) => ({ n: String(n) }));
  const before = rss();
  litter = litter.length;
  collectGarbage();
  console.log(JSON.stringify(before - rss()));
`;

test("garbage is given back at once where V8 lets us, and otherwise when it likes", async () => {
  expect(await run(LITTERS, "--expose-gc")).toBeGreaterThan(50 * MIB);
  expect(await run(LITTERS)).toBeLessThan(50 * MIB);
});
