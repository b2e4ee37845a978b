import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import { choiceText, chosenPods } from "#lib/edge/chosen.ts";
import type { PodChoice } from "#lib/edge/router.ts";
import type { Core } from "../core.ts";
import { edgeView } from "./view.ts";

const CONFIG = parseConfig(`
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: media, ranges: [[{subnet: 10.67.0.0/20}]]}
networks: [{name: std, expose: true}, {name: media, pool: media}]
`);
const IPAM = {
  subnets: (isMeant: (pool: string) => boolean) =>
    [["default", prefix("10.66.0.0/16")] as const, ["media", prefix("10.67.0.0/20")] as const].flatMap(
      ([pool, subnet]) => (isMeant(pool) ? [subnet] : []),
    ),
};
const NODE = {
  uplink: "eth0",
  networks: [
    { link: "eth0", address: prefix("192.0.2.11/24") },
    { link: "eth1", address: prefix("198.51.100.11/24") },
  ],
};
const of = (cluster?: object) =>
  edgeView({ config: CONFIG, ipam: IPAM, node: NODE, ...(cluster && { cluster }) } as unknown as Core);

test("a node that is alone has all of the pools, by the addresses of its default route's link", () => {
  const { pools, nodes } = of();
  expect(pools.map(({ name, isExposed }) => [name, isExposed])).toEqual([
    ["default", true],
    ["media", false],
  ]);
  expect(nodes).toMatchObject([
    {
      addresses: ["192.0.2.11"],
      isAlive: true,
      destinations: [
        { pool: "default", prefix: "10.66.0.0/16" },
        { pool: "media", prefix: "10.67.0.0/20" },
      ],
    },
  ]);
});

const record = (name: string) => [name, { name, addresses: [`192.0.2.${name.length}`] }] as const;
const cluster = (more: object) => ({
  informed: true,
  connected: true,
  view: {
    nodes: new Map([record("gamma"), record("beta"), record("alpha")]),
    destinationsOf: (name: string) => [{ pool: "default", prefix: `10.66.${name.length}.0/26` }],
  },
  peers: new Map([
    ["beta", { liveness: "silent" }],
    ["gamma", { liveness: "dead" }],
  ]),
  ...more,
});

test("in a cluster each has its own; only the dead are not alive", () => {
  expect(of(cluster({})).nodes.map(({ name, isAlive }) => [name, isAlive])).toEqual([
    ["alpha", true],
    ["beta", true],
    ["gamma", false],
  ]);
});

test.each([{ informed: false }, { connected: false }, { connected: undefined }])(
  "nothing is decided without knowing the cluster: %j",
  (more) => expect(() => of(cluster(more))).toThrow("the cluster is not known yet, or the shared store is away"),
);

test("where routers choose pods, nothing is decided without knowing all of them", () => {
  const WEB: PodChoice = { labels: { app: "web" }, most: 10 };
  const pods = chosenPods();
  pods.choose([WEB], []);
  pods.put({ namespace: "shop", name: "web", labels: { app: "web" }, addresses: [address("10.66.0.5")] });
  const withPods = (isInformed: boolean) =>
    edgeView({ config: CONFIG, ipam: IPAM, node: NODE, edge: { pods }, policies: { isInformed } } as unknown as Core);
  expect(() => withPods(false)).toThrow("pods are not known yet, and routers choose some");
  expect([...(withPods(true).pods ?? [])]).toEqual([[choiceText(WEB), ["10.66.0.5"]]]);
});
