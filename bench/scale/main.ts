/** `npm run bench -- scale`: what a node of a large cluster costs. ../run.sh makes the node that it runs on. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "../machine.ts";
import type { Shape } from "./cluster.ts";
import type { Scale } from "./measured.ts";
import type { Changes, Cold } from "./pure.ts";
import { type Amounts, real } from "./real.ts";
import { report } from "./report.ts";
import { verdicts } from "./targets.ts";

const TOP = join(import.meta.dirname, "..", "..");

const HELP = `npm run bench -- scale [--quick] [--json FILE]

  --quick      a fifth of the nodes, half a minute; the targets are those of the whole
  --json FILE  where the measurements go (bench/results/scale-DATE.json)
  --help       this text
`;

const say = (text: string) => process.stderr.write(`bench scale: ${text}\n`);

const shapeOf = (nodes: number): Shape => ({ nodes, podsOfNode: 30, fixedOfNode: 1 });

/** In processes of their own, so that what is read is not in memory already. */
function decided(shapes: readonly Shape[], state: string): Pick<Scale, "cold" | "changes"> {
  const run = (...argv: readonly string[]) =>
    execFileSync(process.execPath, [join(import.meta.dirname, "pure.ts"), ...argv], { encoding: "utf8" });
  const of = shapes.map((shape) => [join(state, `${shape.nodes}.db`), JSON.stringify(shape)]);
  for (const each of of) run("fill", ...each);
  return {
    cold: of.map((each) => JSON.parse(run("begin", ...each)) as Cold),
    changes: JSON.parse(run("change", ...of.flat())) as Changes[],
  };
}

async function main(): Promise<void> {
  const [state = "", ...argv] = process.argv.slice(2);
  const { values } = parseArgs({
    args: argv,
    options: { quick: { type: "boolean" }, json: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return void process.stdout.write(HELP);
  const sizes = values.quick === true ? [100, 1_000] : [500, 5_000];
  const amounts: Amounts =
    values.quick === true
      ? { nodes: 1_000, samples: 10, wave: 100, idleMs: 2_000 }
      : { nodes: 5_000, samples: 50, wave: 250, idleMs: 10_000 };

  say(`deciding among ${sizes.join(" and ")} nodes`);
  const alone = decided(sizes.map(shapeOf), state);
  say(`the real daemon among ${amounts.nodes} nodes`);
  const measured: Scale = {
    machine: machine(),
    ...alone,
    real: await real(join(TOP, "dist", "selvedged"), state, amounts),
  };
  const judged = verdicts(measured);
  const name = `bench/results/scale-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const file = resolve(values.json ?? name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...measured, targets: judged }, null, 2)}\n`);
  process.stdout.write(`${report(measured, judged)}\n\nwritten to ${values.json ?? name}\n`);
}

await main();
