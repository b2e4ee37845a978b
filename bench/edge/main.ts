/** `npm run bench -- edge`: what a router with many paths of ours costs the daemon at each look. ../run.sh makes the node. */
import { performance } from "node:perf_hooks";
import { address, prefix } from "#lib/address.ts";
import { afterwards, change } from "#lib/edge/change.ts";
import { DIALECTS } from "#lib/edge/dialect.ts";
import { ownership, type Piece } from "#lib/edge/piece.ts";
import { render } from "#lib/edge/render/render.ts";
import type { EdgeView } from "#lib/edge/router.ts";
import { sampleRouter } from "#lib/edge/sample-router.ts";
import { grow, type Tree } from "#lib/edge/tree.ts";
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { type Summary, summary } from "../statistics.ts";
import { number, table } from "../table.ts";
import { type Goal, judged, type Verdict } from "../targets.ts";

/** Milliseconds. */
interface Row {
  readonly what: string;
  readonly took: Summary;
}

interface Looked {
  readonly machine: Machine;
  readonly paths: number;
  readonly desired: Row;
  readonly diffs: readonly Row[];
}

/** A router with a route for each of so many blocks, of a cluster of hundreds of nodes. */
const SPEC = sampleRouter({ static: { routes: "blocks" } });
const BLOCKS_OF_NODE = 32;

function view(blocks: number): EdgeView {
  const nodes = Array.from({ length: Math.ceil(blocks / BLOCKS_OF_NODE) }, (_, n) => ({
    name: `node-${n}`,
    addresses: [address(`192.0.${n >> 8}.${n & 255}`)],
    isAlive: true,
    // Every other block, so that no two are one route.
    destinations: Array.from({ length: Math.min(BLOCKS_OF_NODE, blocks - n * BLOCKS_OF_NODE) }, (_each, i) => {
      const block = 2 * (n * BLOCKS_OF_NODE + i);
      return { pool: "default", prefix: prefix(`10.${block >> 11}.${(block >> 3) & 255}.${(block & 7) * 32}/27`) };
    }),
  }));
  return { pools: [{ name: "default", prefixes: [prefix("10.0.0.0/8")], isExposed: true }], nodes, egress: [] };
}

function treeOf(pieces: readonly Piece[]): Tree {
  const tree: Tree = new Map();
  for (const { paths } of pieces) for (const path of paths) grow(tree, path);
  return tree;
}

function took(what: string, samples: number, work: () => unknown): Row {
  const times = Array.from({ length: samples }, () => {
    const beganMs = performance.now();
    work();
    return performance.now() - beganMs;
  });
  return { what, took: summary(times) };
}

async function measure(_state: string, isQuick: boolean): Promise<Looked> {
  const [paths, samples] = isQuick ? [1_000, 20] : [10_000, 100];
  const all = view(paths);
  const rendered = (of: EdgeView): Piece[] => render(SPEC, of, DIALECTS["1.4"]);
  const wanted = rendered(all);
  const owned = afterwards(ownership([]), change(wanted, new Map(), ownership([])));
  const have = treeOf(wanted);
  // A tenth of the nodes is dead.
  const fewer = rendered({ ...all, nodes: all.nodes.map((node, n) => ({ ...node, isAlive: n % 10 > 0 })) });
  return {
    machine: machine(),
    paths: wanted.reduce((n, piece) => n + piece.paths.length, 0),
    desired: took("what is desired", samples, () => rendered(all)),
    diffs: [
      took("the same as is there", samples, () => change(wanted, have, owned)),
      took("a tenth goes", samples, () => change(fewer, have, owned)),
      took("nothing is there yet", samples, () => change(wanted, new Map(), ownership([]))),
    ],
  };
}

const goals: readonly Goal<Looked>[] = [
  {
    what: "the slowest of the diffs",
    unit: "ms",
    limit: 50,
    bound: "most",
    from: ({ diffs }) => Math.max(...diffs.map(({ took }) => took.p50)),
  },
];

function report({ machine, paths, desired, diffs }: Looked, verdicts: readonly Verdict[]): string {
  const rows = [desired, ...diffs.map(({ what, took }) => ({ what: `diff: ${what}`, took }))];
  const times = table(
    ["", "paths", "ms, p50", "p99"],
    rows.map(({ what, took }) => [what, String(paths), number(took.p50), number(took.p99)]),
    [0],
  );
  return [machineText(machine), `A look at one router\n\n${times}`, `Targets\n\n${targets(verdicts)}`].join("\n\n");
}

const quick = "a tenth of the paths; the target is that of the whole";
const verdicts = (looked: Looked): Verdict[] => judged(goals, looked);
await run({ name: "edge", quick, measure, verdicts, report }, process.argv.slice(2));
