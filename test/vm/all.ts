/**
 * `npm run test:vm`: the suites of boots.ts in the guest, two boots at a time. The last line is `N passed, N failed,
 * N skipped`, over all boots; a boot that ends without such a line of its own counts as one failure.
 * Arguments name the boots to run; without any, all run.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { BOOTS, type Boot, filesOfBoots } from "./boots.ts";

const CLOSING = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m;
/** Seconds that one boot may take: about five times of what the longest takes on two slow processors. */
const TIMEOUT = "2400";
/** Boots at the same time: each is one thread of QEMU at work. */
const AT_ONCE = 2;

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const top = join(import.meta.dirname, "..", "..");
const said = (text: string): void => void process.stdout.write(text);

/** Runs Jest in the guest; resolves with its whole output, printed in one piece when the boot has ended. */
async function run(boot: Boot, files: readonly string[]): Promise<Outcome> {
  const startedMs = Date.now();
  const jest = `CI=true test/jest.sh --runTestsByPath ${files.join(" ")}`;
  const options = ["--memory", "2048", "--timeout", TIMEOUT, ...boot.options];
  const guest = spawn(join(import.meta.dirname, "run.sh"), [...options, jest], {
    cwd: top,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [guest.stdout, guest.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => guest.on("close", resolve));
  said(
    `\n== in the guest: ${boot.name}, ${Math.round((Date.now() - startedMs) / 1000)} s\n${output.replace(CLOSING, "")}`,
  );
  const [, passed = 0, failed = 0, skipped = 0] = (CLOSING.exec(output) ?? []).map(Number);
  const without = code !== 0 && failed === 0 ? 1 : 0;
  if (without) said(`the boot ${boot.name} ended with code ${code}\n`);
  // What is skipped on the machine relies on running here: skipped here as well, it would run nowhere.
  if (skipped > 0) said(`the boot ${boot.name} skipped ${skipped} tests: each must run in the guest\n`);
  return { passed, failed: failed + without + skipped, skipped: 0 };
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BOOTS.some((boot) => boot.name === name));
if (unknown.length > 0) {
  console.error(`no boot ${unknown.join(", ")}: they are ${BOOTS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const waiting = filesOfBoots().filter(({ boot }) => asked.length === 0 || asked.includes(boot.name));
const outcomes: Outcome[] = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      outcomes.push(await run(next.boot, next.files));
  }),
);
const sum = (key: keyof Outcome): number => outcomes.reduce((total, outcome) => total + outcome[key], 0);
console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
process.exitCode = sum("failed") === 0 && outcomes.length > 0 ? 0 : 1;
