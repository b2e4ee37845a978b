/** `npm run bench -- throughput`: pods on two nodes, by Selvedge's ways and by the same set up by hand. ../run.sh makes the place. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "../machine.ts";
import { summary } from "../statistics.ts";
import { byHand } from "./by-hand.ts";
import { flannel } from "./flannel.ts";
import { roundTrips, throughput } from "./measure.ts";
import type { Measured, Row } from "./measured.ts";
import { ours } from "./ours.ts";
import { report } from "./report.ts";
import { startStore } from "./store.ts";
import { verdicts } from "./targets.ts";
import { WAYS, type Way } from "./ways.ts";
import type { World } from "./world.ts";

const TOP = join(import.meta.dirname, "..", "..");
const DIST = join(TOP, "dist");
/** Brought by flannel.sh, where it can be built. */
const FLANNELD = join(TOP, ".cache", "flannel", "flanneld");

const HELP = `npm run bench -- throughput [--quick] [--json FILE]

  --quick      three rounds instead of fifteen, half a minute
  --json FILE  where the measurements go (bench/results/throughput-DATE.json)
  --help       this text
`;

const SECONDS = 2;
const PINGS = 200;

/** By turns, so that whatever else the machine does is shared by both. */
async function compare(way: Way, worlds: ReadonlyMap<string, World>, rounds: number): Promise<Row[]> {
  const rates = new Map([...worlds.keys()].map((name) => [name, [] as number[]]));
  const trips = new Map([...worlds.keys()].map((name) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`bench throughput: ${way}, round ${round + 1} of ${rounds}\n`);
    const turn = round % 2 === 0 ? [...worlds] : [...worlds].reverse();
    for (const [name, world] of turn) {
      rates.get(name)?.push(await throughput(world, SECONDS));
      trips.get(name)?.push(...roundTrips(world, PINGS));
    }
  }
  return [...worlds.keys()].map((name) => ({
    way,
    name,
    gigabits: summary(rates.get(name) ?? []),
    roundTripUs: summary((trips.get(name) ?? []).map((ms) => ms * 1_000)),
  }));
}

async function main(): Promise<void> {
  const [state = "", ...argv] = process.argv.slice(2);
  const { values } = parseArgs({
    args: argv,
    options: { quick: { type: "boolean" }, json: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return void process.stdout.write(HELP);
  const rows: Row[] = [];
  await using store = await startStore(state);
  for (const way of WAYS) {
    await using stack = new AsyncDisposableStack();
    const worlds = new Map<string, World>([
      ["by hand", stack.use(byHand(way, "bare"))],
      ["and a firewall", stack.use(byHand(way, "guarded"))],
      ["selvedge", stack.use(await ours(way, store, { dist: DIST, state }))],
    ]);
    if (way === "vxlan" && existsSync(FLANNELD))
      worlds.set("flannel", stack.use(await flannel(FLANNELD, store, join(state, "flannel"))));
    rows.push(...(await compare(way, worlds, values.quick === true ? 3 : 15)));
  }
  const measured: Measured = { machine: machine(), rows };
  const judged = verdicts(measured);
  const name = `bench/results/throughput-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const file = resolve(values.json ?? name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...measured, targets: judged }, null, 2)}\n`);
  process.stdout.write(`${report(measured, judged)}\n\nwritten to ${values.json ?? name}\n`);
}

await main();
