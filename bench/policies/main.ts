/** `npm run bench -- policies`: what policies cost a packet, and how soon they are in force. ../run.sh makes the node. */
import { join } from "node:path";
import { run } from "../further.ts";
import { type Machine, machine, machineText } from "../machine.ts";
import { targets } from "../report.ts";
import { type Summary, summary } from "../statistics.ts";
import { number, table } from "../table.ts";
import { type Goal, judged, type Verdict } from "../targets.ts";
import { byHand } from "./by-hand.ts";
import { type Change, type Ours, ours } from "./ours.ts";
import { type Pair, PORT, packetsPerSecond } from "./pair.ts";
import { mayBeSentTo, paperAddress, peerPods, podManifest, policyManifest } from "./paper.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

interface Row {
  readonly name: "selvedge" | "iptables by hand";
  readonly peers: number;
  /** Of packets that each begin a connection, a second. */
  readonly packets: Summary;
}

interface Changes {
  readonly pods: number;
  readonly attached: number;
  readonly policies: number;
  readonly inDaemon: Summary;
  readonly whole: Summary;
}

interface Measured {
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly changes: Changes;
}

interface Amounts {
  readonly peers: readonly number[];
  readonly rounds: number;
  readonly packets: number;
  readonly pods: number;
  readonly attached: number;
  readonly policies: number;
  readonly changes: number;
}

const say = (text: string) => process.stderr.write(`bench policies: ${text}\n`);

/** By turns, so that whatever else the machine does is shared by all. */
async function packets(node: Ours, state: string, { peers, rounds, packets }: Amounts): Promise<Row[]> {
  const hand = byHand();
  const rates = new Map<string, { readonly row: Omit<Row, "packets">; readonly rates: number[] }>();
  const measure = (name: Row["name"], count: number, pair: Pair, amount: number) => {
    const known = rates.get(`${name} ${count}`) ?? { row: { name, peers: count }, rates: [] };
    rates.set(`${name} ${count}`, known);
    known.rates.push(packetsPerSecond(pair, join(state, "frames.pcap"), amount));
  };
  await node.show("policies", [mayBeSentTo(PORT)]);
  for (let round = 0; round < rounds; round++)
    for (const count of peers) {
      say(`${count} peers, round ${round + 1} of ${rounds}`);
      await node.show("pods", peerPods(count));
      measure("selvedge", count, node.pair, packets);
      hand.select(count);
      // A rule more is some nanoseconds more for each packet.
      measure("iptables by hand", count, hand.pair, Math.min(packets, (packets * 100) / count));
    }
  return [...rates.values()].map(({ row, rates }) => ({ ...row, packets: summary(rates) }));
}

/** Kinds of pods, and as many kinds of peers. */
const APPLICATIONS = 100;

const app = (n: number): object => ({ app: `app-${n % APPLICATIONS}` });
const policy = (n: number, peer: number): object =>
  policyManifest(`policy-${n}`, app(n), { from: [{ podSelector: { matchLabels: app(peer) } }] });

/** One policy at a time lets in others. */
async function change(node: Ours, { pods, attached, policies, changes }: Amounts): Promise<Changes> {
  say(`${changes} changes among ${pods} pods, ${attached} of them here, and ${policies} policies`);
  node.attach(attached);
  const here = Array.from({ length: attached }, (_, n) => podManifest(`pod-${n}`, app(n)));
  const elsewhere = Array.from({ length: pods - attached }, (_, n) => podManifest(`far-${n}`, app(n), paperAddress(n)));
  await node.show("pods", [...here, ...elsewhere]);
  await node.show(
    "policies",
    Array.from({ length: policies - 1 }, (_, n) => policy(n + 1, n)),
  );
  const seen: Change[] = [];
  for (let n = 0; n < changes; n++) seen.push(await node.show("one", [policy(0, n + 1)]));
  const of = (pick: (change: Change) => number) => summary(seen.map(pick));
  return { pods, attached, policies, inDaemon: of((each) => each.inDaemon), whole: of((each) => each.whole) };
}

async function measure(state: string, isQuick: boolean): Promise<Measured> {
  const amounts: Amounts = isQuick
    ? { peers: [10, 1_000], rounds: 2, packets: 50_000, pods: 200, attached: 10, policies: 100, changes: 20 }
    : { peers: [10, 10_000], rounds: 6, packets: 400_000, pods: 1_000, attached: 100, policies: 1_000, changes: 200 };
  await using node = await ours(DIST, state);
  return { machine: machine(), rows: await packets(node, state, amounts), changes: await change(node, amounts) };
}

const rateOf = ({ rows }: Measured, name: Row["name"], pick: (peers: readonly number[]) => number): number => {
  const own = rows.filter((row) => row.name === name);
  const wanted = pick(own.map(({ peers }) => peers));
  const found = own.find(({ peers }) => peers === wanted);
  if (found === undefined) throw new RangeError(`nothing was measured: ${name}`);
  return found.packets.p50;
};
const most = (peers: readonly number[]) => Math.max(...peers);
const fewest = (peers: readonly number[]) => Math.min(...peers);

const goals: readonly Goal<Measured>[] = [
  {
    what: "a packet at most peers / at fewest",
    unit: "x",
    limit: 1.05,
    bound: "most",
    from: (m) => rateOf(m, "selvedge", fewest) / rateOf(m, "selvedge", most),
  },
  {
    what: "a packet at most peers: selvedge / iptables by hand",
    unit: "x",
    limit: 1,
    bound: "most",
    from: (m) => rateOf(m, "iptables by hand", most) / rateOf(m, "selvedge", most),
  },
  {
    what: "a policy's change in the daemon, p99",
    unit: "ms",
    limit: 10,
    bound: "most",
    from: (m) => m.changes.inDaemon.p99,
  },
  { what: "from its file to the kernel, p99", unit: "ms", limit: 100, bound: "most", from: (m) => m.changes.whole.p99 },
];

function report({ machine, rows, changes }: Measured, verdicts: readonly Verdict[]): string {
  const costs = table(
    ["", "peers", "packets a second", "one packet, µs"],
    rows.map(({ name, peers, packets }) => [name, String(peers), packets.p50.toFixed(0), number(1e6 / packets.p50)]),
    [],
  );
  const { pods, attached, policies, inDaemon, whole } = changes;
  const times = table(
    ["pods", "here", "policies", "in the daemon, ms, p50", "p99", "from its file, p50", "p99"],
    [[...[pods, attached, policies].map(String), ...[inDaemon.p50, inDaemon.p99, whole.p50, whole.p99].map(number)]],
    [],
  );
  return [
    machineText(machine),
    `Packets that each begin a connection, from one pod to another that a policy lets them reach\n\n${costs}`,
    `One policy lets in other peers\n\n${times}`,
    `Targets\n\n${targets(verdicts)}`,
  ].join("\n\n");
}

const quick = "a tenth of the peers and policies; the targets are those of the whole";
const verdicts = (measured: Measured): Verdict[] => judged(goals, measured);
await run({ name: "policies", quick, measure, verdicts, report }, process.argv.slice(2));
