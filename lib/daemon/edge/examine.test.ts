import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { EdgePair } from "#lib/config/edge.ts";
import { type Line, pathOf } from "#lib/edge/path.ts";
import { space } from "#lib/store/shared-memory.ts";
import { fakeRouter } from "#lib/vyos/fake.ts";
import type { EdgeRouterHandle } from "./driven.ts";
import { examine } from "./examine.ts";
import { memory } from "./memory.ts";
import { withConnected } from "./observe.ts";
import { pusher } from "./pusher.ts";
import { specOf } from "./spec.ts";
import { writer } from "./writer.ts";

const configOf = (more: string) =>
  parseConfig(`
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: blue, ranges: [[{subnet: 10.67.0.0/16}]]}
edge: {routers: [{name: edge1, url: https://192.0.2.1, key: {file: /k}, ${more}}]}
`);
const CONFIG = configOf("groups: [{name: PODS, of: pools}]");
const VIEW = {
  pools: [
    { name: "default", prefixes: [prefix("10.66.0.0/16")], isExposed: true },
    { name: "blue", prefixes: [prefix("10.67.0.0/16")], isExposed: false },
  ],
  nodes: [],
  egress: [],
};

async function findings(
  prepare: (router: ReturnType<typeof fakeRouter>) => void,
  pairs: readonly EdgePair[] = [],
  given = CONFIG,
): Promise<string[]> {
  const router = fakeRouter();
  prepare(router);
  const [config] = given.edge?.routers ?? [];
  if (config === undefined) throw new TypeError("the configuration has a router");
  const vyos = router.open();
  const keeper = space().open();
  const spec = async () => withConnected(vyos, await specOf(config, pairs, async () => ""));
  const one = pusher(
    {
      router: vyos,
      memory: memory(keeper, "edge1"),
      writer: writer(keeper, "edge1", { node: "alpha", uid: "u" }),
      log: () => {},
      nowMs: () => 1_000,
      random: () => 0.5,
      wait: async () => {},
      reaches: async () => true,
    },
    {
      spec,
      router: "edge1",
      by: "alpha",
      driftMs: 60_000,
      onDrift: "repair",
      deleteLimit: { percent: 20, paths: 50 },
      dryRun: false,
      confirmMinutes: 5,
      verifyMs: 30_000,
      probes: [],
    },
  );
  const handle: EdgeRouterHandle = {
    config,
    pusher: one,
    get status() {
      return one.status;
    },
    vyos,
    spec,
    waitingSinceMs: undefined,
    beWriter: async () => {},
  };
  return (await examine(handle, VIEW, 1_000)).map(({ level, check, message }) => `${level} ${check}: ${message}`);
}
const set = (line: string) => ({ op: "set", path: pathOf(line as Line) }) as const;
const CONNECTED = ["ok connection: https://192.0.2.1 is VyOS 1.4.0", "ok version: 1.4 takes no commit back by itself"];

test.each<[name: string, prepare: (router: ReturnType<typeof fakeRouter>) => void, expected: string[]]>([
  [
    "a router that has nothing yet",
    () => {},
    [...CONNECTED, "warning configuration: 1 commands away from what it should have"],
  ],
  [
    "an address in a pool",
    (router) =>
      router.operate([
        set("interfaces ethernet eth1 vif 5 address 10.66.0.1/24"),
        set("interfaces ethernet eth0 address dhcp"),
      ]),
    [
      ...CONNECTED,
      "problem overlap: 10.66.0.1 is the router's own and lies in 10.66.0.0/16 of pool default",
      "warning configuration: 1 commands away from what it should have",
    ],
  ],
  [
    "a group of the operator's with that name",
    (router) => router.operate([set("firewall group network-group PODS network 10.0.0.0/8")]),
    [
      ...CONNECTED,
      "problem conflict: firewall group network-group PODS has firewall group network-group PODS network 10.0.0.0/8",
      "ok configuration: it has what it should",
    ],
  ],
  [
    "another key",
    (router) => {
      router.key = "another";
    },
    ["problem denied: router edge1: Valid API key is required"],
  ],
])("%s", async (_name, prepare, expected) => expect(await findings(prepare)).toEqual(expected));

test.each<[told: string, expected: string]>([
  ["SELVEDGE-gate-eth1-4  eth1  10  BACKUP  100  3s", "ok pair: it is the backup of pair gate"],
  ["SELVEDGE-gate-eth1-4  eth1  10  FAULT  100  3s", "warning pair: its state is fault in pair gate"],
  ["", "warning pair: it does not tell what it is in pair gate"],
])("one of a pair that says %j", async (told, expected) => {
  const networks = [{ interface: "eth1", vrid: 10, addresses: [prefix("192.0.2.254/24")] }];
  const pair = { name: "gate", routers: ["edge0", "edge1"], networks, preempt: true, advertiseSeconds: 1 };
  const found = await findings(
    (router) => {
      router.tells = () => told;
    },
    [pair],
  );
  expect(found).toContain(expected);
});

test.each<[name: string, links: string[], overlaps: string[]]>([
  [
    "in the VRF that leads to its pool",
    ["eth1 address 10.67.0.1/24", "eth1 vrf BLUE", "eth2 address 10.66.0.1/24", "eth2 vrf BLUE"],
    ["problem overlap: 10.67.0.1 is the router's own and lies in 10.67.0.0/16 of pool blue"],
  ],
  ["of another table", ["eth1 address 10.67.0.1/24"], []],
  ["without neighbours", ["eth1 address 10.66.0.1/32"], []],
])("an address %s", async (_name, links, overlaps) => {
  const found = await findings(
    (router) => router.operate(links.map((line) => set(`interfaces ethernet ${line}`))),
    [],
    configOf("static: {routes: pools}, vrfs: [{name: BLUE, table: 100, pools: [blue]}]"),
  );
  expect(found.filter((line) => line.includes("overlap"))).toEqual(overlaps);
});
