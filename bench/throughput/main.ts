/** `npm run bench -- throughput`: pods on two nodes, by Selvedge's ways and by the same set up by hand. ../run.sh makes the place. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../further.ts";
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
/** Brought by test/flannel.sh, where it can be built. */
const FLANNELD = join(TOP, ".cache", "flannel", "flanneld");

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

async function measure(state: string, isQuick: boolean): Promise<Measured> {
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
    rows.push(...(await compare(way, worlds, isQuick ? 3 : 15)));
  }
  return { machine: machine(), rows };
}

const quick = "three rounds instead of fifteen, half a minute";
await run({ name: "throughput", quick, measure, verdicts, report }, process.argv.slice(2));
