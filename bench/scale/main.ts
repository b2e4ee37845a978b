/** `npm run bench -- scale`: what a node of a large cluster costs. ../run.sh makes the node that it runs on. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { run } from "../further.ts";
import { machine } from "../machine.ts";
import type { Shape } from "./cluster.ts";
import type { Scale } from "./measured.ts";
import type { Changes, Cold } from "./pure.ts";
import { type Amounts, real } from "./real.ts";
import { report } from "./report.ts";
import { verdicts } from "./targets.ts";

const TOP = join(import.meta.dirname, "..", "..");

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

async function measure(state: string, isQuick: boolean): Promise<Scale> {
  const sizes = isQuick ? [100, 1_000] : [500, 5_000];
  const amounts: Amounts = isQuick
    ? { nodes: 1_000, samples: 10, wave: 100, idleMs: 2_000 }
    : { nodes: 5_000, samples: 50, wave: 250, idleMs: 10_000 };
  say(`deciding among ${sizes.join(" and ")} nodes`);
  const alone = decided(sizes.map(shapeOf), state);
  say(`the real daemon among ${amounts.nodes} nodes`);
  return { machine: machine(), ...alone, real: await real(join(TOP, "dist", "selvedged"), state, amounts) };
}

const quick = "a fifth of the nodes, half a minute; the targets are those of the whole";
await run({ name: "scale", quick, measure, verdicts, report }, process.argv.slice(2));
