/** `npm run bench`: Selvedge beside the reference plugins and the kernel's floor. run.sh makes the node that it runs on. */
import { join } from "node:path";
import { alone } from "./alone.ts";
import type { Subject } from "./chain.ts";
import { startDaemon } from "./daemon.ts";
import { resultsFile, tell } from "./findings.ts";
import { startFloor } from "./floor-process.ts";
import { growth } from "./growth.ts";
import { machine } from "./machine.ts";
import type { Measured, Storm } from "./measured.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { canCarry } from "./parents.ts";
import { report } from "./report.ts";
import { reservations } from "./reservations.ts";
import { storm } from "./storm.ts";
import { subjects } from "./subjects.ts";
import { verdicts } from "./targets.ts";

const TOP = join(import.meta.dirname, "..");
/** Debian's containernetworking-plugins. */
const REFERENCE = "/usr/lib/cni";

const say = (text: string) => process.stderr.write(`bench: ${text}\n`);

/** @param state a directory for everything that plugins and daemon keep */
async function measure(options: Options, state: string): Promise<Measured> {
  await using daemon = await startDaemon(join(TOP, "dist", "selvedged"), join(state, "selvedged"));
  const places = { reference: REFERENCE, selvedge: join(TOP, "dist", "selvedge"), state, socket: daemon.socket };
  const all = subjects(places);
  const empty = daemon.memory();
  const where = machine();

  const names = options.subjects.filter((name) => isPossible(all[name]));
  say(`alone: ${options.rounds} rounds of ${names.length} subjects`);
  if (options.isPartial) {
    const single = await alone({ subjects: all, daemon }, names, options.rounds);
    const memory = { empty, attachments: 0, full: daemon.memory() };
    return { machine: where, ...single, storms: [], growth: [], reservations: [], memory };
  }
  await using floor = startFloor(join(TOP, "node_modules", ".bin", "node"));
  const single = await alone({ subjects: all, daemon, floor }, names, options.rounds);
  const storms: Storm[] = [];
  for (const wanted of options.storms) {
    say(`${wanted.subject}: ${wanted.pods} pods, ${wanted.atOnce} at once`);
    storms.push(await storm(all[wanted.subject], daemon, wanted));
  }
  say(`growth: at ${options.levels.join(", ")} pods, up and down`);
  const grown = await growth(all["selvedge full"], daemon, options.levels, options.samples);

  say(`reservations: none and ${options.reservations.many} in turns`);
  const reserved = await reservations(all["selvedge full"], daemon, options.reservations);

  return {
    machine: where,
    ...single,
    storms,
    growth: grown.growth,
    reservations: reserved,
    memory: { empty, attachments: Math.max(...options.levels), full: grown.full },
  };
}

function isPossible({ name, parent }: Subject): boolean {
  const possible = parent === undefined || canCarry(parent);
  if (!possible) say(`${name} is left out: this kernel has no ${parent.carries}`);
  return possible;
}

async function main(): Promise<void> {
  const [state = "", ...argv] = process.argv.slice(2);
  const options = parseOptions(argv, resultsFile());
  if (options === undefined) return void process.stdout.write(HELP);
  const measured = await measure(options, state);
  const judged = verdicts(measured, options.isPartial);
  const names = subjects({ reference: "", selvedge: "", state: "", socket: "" });
  tell(measured, judged, report(measured, names, judged), options.jsonFile);
}

await main();
