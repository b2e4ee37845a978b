/**
 * Routers that come, become others and go in random order, on two nodes that follow the same configuration one after the
 * other, with routers and a store that fail now and then: afterwards each router has exactly what it is owed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Line } from "#lib/edge/path.ts";
import { linesOf } from "#lib/edge/tree.ts";
import type { Accident } from "#lib/vyos/fake.ts";
import { seeded } from "../../../test/support/seeded.ts";
import { fabric, node, soon } from "./edge-rig.ts";

const NAMES = ["edge1", "edge2", "edge3"] as const;
const OPERATORS = "protocols static route 10.0.0.0/8 blackhole" as Line;
const SETTINGS = [
  "static: {routes: blocks}",
  "static: {routes: pools, distance: 20}",
  "nat: {masquerade: [{interface: eth0}]}",
  "nat: {masquerade: [{interface: eth1}]}, groups: [{name: PODS, of: pools}]",
  "groups: [{name: PODS, of: pools}, {name: NODES, of: nodes}]",
  "pools: [media], groups: [{name: PODS, of: pools}], static: {routes: blocks}",
  "bgp: {as: 65000, nodesAs: 65001, addresses: [], password: {file: /key}}",
] as const;

/** What stays empty above what was taken away is nobody's, and harmless. */
const isLeaf = (line: string, all: readonly string[]): boolean => !all.some((other) => other.startsWith(`${line} `));

async function sequence(seed: number) {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const net = fabric();
  /** Settings and URLs of the moment, by name: of a router that goes to another URL nothing of ours is there. */
  const now = new Map<string, { settings: string; url: string; file: string }>();
  let places = 0;
  const at = () => {
    const url = `https://place${++places}.example`;
    net.at(url).operate([{ op: "set", path: OPERATORS.split(" ") }]);
    return url;
  };
  const homes = new Map(NAMES.map((name) => [name as string, at()]));
  const texts = () =>
    [...now].map(
      ([name, { settings, url, file }]) => `{name: ${name}, url: "${url}", key: {file: ${file}}, ${settings}}`,
    );
  const put = (name: string, more: { url?: string; file?: string } = {}): void => {
    const url = more.url ?? homes.get(name) ?? "";
    homes.set(name, url);
    now.set(name, { settings: pick(SETTINGS), url, file: more.file ?? "/key" });
  };
  /** All that any router was ever owed. */
  const ever = new Set<string>([OPERATORS]);
  await using alpha = node(net, "alpha", []);
  await using beta = node(net, "beta", []);
  const nodes = [alpha, beta];
  const noted = async (): Promise<void> => {
    for (const each of nodes)
      for (const name of each.edge.routers.keys()) for (const line of await each.owed(name)) ever.add(line);
  };
  const accidents: readonly Accident[] = [
    { refuse: "locked" },
    { refuse: "unreachable" },
    { refuse: "busy" },
    { partly: ["protocols", "static"] },
    "unheard",
    "lost",
  ];
  const routerOf = (name: string) => net.at(homes.get(name) ?? "");

  const events: readonly (() => unknown)[] = [
    () => put(pick(NAMES)),
    () => put(pick(NAMES)),
    // A node that knows the earlier place alone would write to that, and what is remembered would be of it: both hear of this.
    () => {
      put(pick(NAMES), { url: at() });
      for (const each of nodes) each.become(texts());
    },
    () => put(pick(NAMES), { file: "/missing" }),
    () => void now.delete(pick(NAMES)),
    () => void now.delete(pick(NAMES)),
    () => now.clear(),
    () => routerOf(pick(NAMES)).plan(pick(accidents)),
    () => {
      routerOf(pick(NAMES)).down = random() < 0.5 ? "unreachable" : undefined;
    },
    () => net.hold(),
    () => net.letGo(),
    () => sleep(Math.floor(3 * random())),
    () => sleep(Math.floor(3 * random())),
    () => net.later(Math.floor(90_000 * random())),
    () => net.space.stop(),
    () => net.space.start(),
    // A person orders something there.
    () =>
      pick(nodes)
        .edge.alone(pick(NAMES), ({ beWriter }) => beWriter())
        .catch(() => {}),
  ];
  for (let step = 0; step < 30; step++) {
    void pick(events)();
    // Nodes hear of it one after the other, and not of each.
    const one = pick(nodes);
    if (random() < 0.7) one.become(texts());
    await noted();
    await sleep(0);
  }
  net.letGo();
  net.space.start();
  for (let place = 1; place <= places; place++) net.at(`https://place${place}.example`).down = undefined;
  // All come back: what is out of the configuration keeps what it has.
  for (const name of NAMES) put(name);
  for (const each of nodes) each.become(texts());
  await noted();
  const phases = (name: string) => nodes.map(({ edge }) => edge.routers.get(name)?.status.phase).toSorted();
  await soon("each has one writer", net, nodes, () => NAMES.every((name) => `${phases(name)}` === "in-sync,standby"));
  const found: Record<string, readonly string[]> = {};
  const owed: Record<string, readonly string[]> = {};
  const known = [...ever];
  for (const name of NAMES) {
    found[name] = linesOf(routerOf(name).running)
      .filter((line) => isLeaf(line, known))
      .toSorted();
    owed[name] = [...(await alpha.owed(name)), OPERATORS].toSorted();
  }
  return { found, owed, most: Math.max(...net.most.values()) };
}

const RUNS = Number(process.env.SELVEDGE_EDGE_RUNS ?? 200);
test(`${RUNS} sequences`, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { found, owed, most } = await sequence(seed);
    expect({ seed, most, ...found }).toEqual({ seed, most: 1, ...owed });
  }
}, 300_000);
