import { expect, test } from "@jest/globals";
import { besideFile, type Resource } from "./resources.ts";

const pool = (name: string, subnet: string): Resource => ({
  kind: "AddressPool",
  name,
  spec: { ranges: [[{ subnet }]] },
});
const network = (name: string, spec: object = {}): Resource => ({ kind: "Network", name, spec });
const tenant = (name: string, spec: object = {}): Resource => ({ kind: "Tenant", name, spec });

const together = (text: string, resources: readonly Resource[]) => {
  const { config, refused, lacking } = besideFile(text, () => undefined)(resources);
  const said = <T>(of: ReadonlyMap<Resource, T>, text: (each: T) => string) =>
    Object.fromEntries([...of].map(([{ kind, name }, each]) => [`${kind} ${name}`, text(each)]));
  return {
    config,
    pools: config.pools.map(({ name }) => name),
    networks: [...config.networks.keys()],
    refused: said(refused, ({ message }) => message),
    lacking: said(lacking, (message) => message),
  };
};

const FILE = `
networks: [{ name: std }, { name: whole, attachment: bridge, bridge: br9, pool: whole, stretch: { vni: 9 } }]
pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }, { name: whole, ranges: [[{ subnet: 10.9.0.0/16 }]] }]
cluster: { store: { kubernetes: {} } }
kubernetes: {}
`;

test("networks and pools count beside those of the file, whichever comes first", () => {
  const { config, refused, pools, networks } = together(FILE, [
    network("media", { pool: "media", mtu: 1_400, planes: ["data"] }),
    network("data"),
    pool("media", "10.2.0.0/16"),
  ]);
  expect({ refused, pools, networks }).toEqual({
    refused: {},
    pools: ["default", "whole", "media"],
    networks: ["std", "whole", "media", "data"],
  });
  expect(config.networks.get("media")).toMatchObject({
    name: "media",
    pools: ["media"],
    mtu: 1_400,
    ipMasq: true,
    options: { path: "Network media: spec.options", value: {} },
  });
  expect(config.pools[2]?.ranges.path).toBe("AddressPool media: spec.ranges");
});

test("beside a file without pools there is the default one", () =>
  expect(together("", [pool("media", "10.2.0.0/16")]).pools).toEqual(["default", "media"]));

test("what has been deleted says so", () => {
  const { config } = together(FILE, [{ ...pool("media", "10.2.0.0/16"), isLeaving: true }, network("data")]);
  expect(config.pools.map(({ isLeaving }) => isLeaving)).toEqual([undefined, undefined, true]);
  expect(config.networks.get("data")?.isLeaving).toBeUndefined();
});

const WRONG: readonly (readonly [resources: readonly Resource[], refused: Readonly<Record<string, string>>])[] = [
  [
    [network("std")],
    {
      "Network std":
        'metadata.name: the nodes\' configuration file has "std" among its networks, which counts; use another name, or take it from there',
    },
  ],
  [[network("a", { mtu: 70, pol: "b" })], { "Network a": "spec.mtu: 70 is not a whole number from 576 to 65535" }],
  [[network("a", { pol: "b" })], { "Network a": 'spec.pol: unknown setting; did you mean "pool"?' }],
  [
    [network("a", { pool: "medai" }), pool("media", "10.2.0.0/16")],
    { "Network a": 'spec.pool: there is no pool "medai"; did you mean "media"?' },
  ],
  [
    [pool("media", "10.1.7.0/24"), network("a", { pool: "media" })],
    {
      "AddressPool media":
        'spec.ranges: 10.1.7.0/24 overlaps 10.1.0.0/16 of pool "default", and both serve networks without a tenant; use other addresses, or networks of different tenants',
      "Network a": 'spec.pool: there is no pool "media"; known: default, whole, other',
    },
  ],
  [
    [network("a", { pool: "whole" })],
    {
      "Network a":
        'beside the configuration file: networks[1].stretch: needs a pool of its own, and "whole" is that of network "a", too',
    },
  ],
  [
    [network("a", { stretch: { vni: 3 } })],
    { "Network a": "spec.stretch: is possible in the nodes' configuration file only" },
  ],
  [[{ kind: "Network", name: "a", spec: 5 }], { "Network a": "spec: 5 is not an object" }],
];
test.each(WRONG)("%j is refused by what is wrong with it, and others count", (resources, refused) => {
  const other = [network("other", { pool: "other" }), pool("other", "10.3.0.0/16")];
  const found = together(FILE, [...resources, ...other]);
  expect(found.refused).toEqual(refused);
  expect(found.networks).toContain("other");
  const known = new Set(Object.keys(refused));
  expect(found.networks).toEqual([
    "std",
    "whole",
    ...resources
      .filter(({ kind, name }) => kind === "Network" && !known.has(`Network ${name}`))
      .map(({ name }) => name),
    "other",
  ]);
});

test("of two that cannot both be the earlier one counts", () => {
  const { pools, refused } = together(FILE, [pool("b", "10.2.0.0/16"), pool("a", "10.2.3.0/24")]);
  expect(pools).toEqual(["default", "whole", "b"]);
  expect(Object.keys(refused)).toEqual(["AddressPool a"]);
});

test("one that is wrong only beside another that is refused counts", () => {
  const { pools, refused } = together(FILE, [
    pool("a", "10.11.0.0/24"),
    pool("b", "10.10.0.0/15"),
    pool("c", "10.10.5.0/24"),
    pool("d", "10.10.5.128/25"),
  ]);
  expect(pools).toEqual(["default", "whole", "a", "c"]);
  expect(refused).toEqual({
    "AddressPool b": expect.stringContaining('of pool "a"'),
    "AddressPool d": expect.stringContaining('of pool "c"'),
  });
});

const SITES = `
tenants: [{ name: t }]
networks: [{ name: whole, attachment: bridge, bridge: br9, pool: whole, stretch: { vni: 9 } }]
pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }, { name: whole, ranges: [[{ subnet: 10.9.0.0/16 }]] }]
cluster: { store: { kubernetes: {} } }
kubernetes: {}
edge:
  routers:
    - name: r
      url: https://192.0.2.1
      key: { file: /k }
      sites: [{ name: w, interface: vti1, networks: [10.5.0.0/16], ipsec: { local: 192.0.2.1, remote: 192.0.2.2, secret: { file: /s } } }]
`;
const SITE_POOL = pool("p", "10.5.0.0/16");
const OF_TENANT = network("n", { tenant: "t", pool: "p" });
const OTHERS = ["x", "y", "z"].map((name) => network(name));
const THIEF = network("thief", { pool: "whole" });
const GUILTY: readonly (readonly [what: string, resources: readonly Resource[], refused: readonly string[]])[] = [
  ["nobody", [...OTHERS, SITE_POOL, OF_TENANT], []],
  ["the network that takes what is another's", [SITE_POOL, ...OTHERS, OF_TENANT, THIEF], ["Network thief"]],
  ["the same, if it came first", [THIEF, SITE_POOL, ...OTHERS, OF_TENANT], ["Network thief"]],
  [
    "the network that brings a pool to the node",
    [SITE_POOL, OF_TENANT, ...OTHERS, network("late", { pool: "p" })],
    ["Network late"],
  ],
  ["the pool that is the node's by itself", [...OTHERS, SITE_POOL], ["AddressPool p"]],
  [
    "the pool, before a network that does not make it so",
    [SITE_POOL, network("own", { pool: "p" }), ...OTHERS],
    ["AddressPool p", "Network own"],
  ],
  [
    "each of two that take the same",
    [THIEF, SITE_POOL, OF_TENANT, network("other", { pool: "whole" })],
    ["Network thief", "Network other"],
  ],
];
test.each(GUILTY)("what is wrong with the file is refused of %s", (_what, resources, guilty) =>
  expect(Object.keys(together(SITES, resources).refused)).toEqual(guilty),
);

test("what else is wrong with one by itself is asked for", () => {
  const beside = besideFile(FILE, ({ name }) => (name === "a" ? "spec.ranges: no" : undefined));
  const one = pool("a", "10.2.0.0/16");
  expect(beside([one]).refused.get(one)).toEqual({ reason: "Invalid", message: "spec.ranges: no" });
});

const SERVICE = { name: "s", address: "10.4.0.9", port: 1, to: "192.0.2.1:1" };
const TENANTS = "tenants: [{ name: old }]\npools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }]";
const POOLS = [pool("p", "10.4.0.0/16"), pool("q", "10.4.7.0/24")];

test("tenants count beside those of the file, with networks whose addresses are each other's", () => {
  const { config, refused, lacking } = together(TENANTS, [
    network("a", { tenant: "red", pool: "p" }),
    network("b", { tenant: "blue", pool: "q" }),
    tenant("red", { peers: ["old"], dns: { domain: "red.example" } }),
    { ...tenant("blue", { egress: false }), isLeaving: true },
    ...POOLS,
  ]);
  expect({ refused, lacking }).toEqual({ refused: {}, lacking: {} });
  expect([...config.tenants]).toEqual([
    ["old", { name: "old", egress: true, peers: [], services: [] }],
    ["red", { name: "red", egress: true, peers: ["old"], services: [] }],
    ["blue", { name: "blue", egress: false, peers: [], services: [], isLeaving: true }],
  ]);
  expect(config.networks.get("a")).toMatchObject({ tenant: "red", namespaces: [], dns: { domain: "red.example" } });
});

const TENANTS_WRONG: readonly (readonly [
  what: string,
  resources: readonly Resource[],
  refused: Readonly<Record<string, string>>,
])[] = [
  [
    "one of the file's name",
    [tenant("old")],
    {
      "Tenant old":
        'metadata.name: the nodes\' configuration file has "old" among its tenants, which counts; use another name, or take it from there',
    },
  ],
  [
    "one that is wrong, and its networks with it",
    [tenant("t", { services: [{ ...SERVICE, port: 0 }] }), network("n", { tenant: "t" })],
    {
      "Tenant t": "spec.services[0].port: 0 is not a whole number from 1 to 65535",
      "Network n": 'spec.tenant: there is no tenant "t"; known: old, other',
    },
  ],
  [
    "one that is its own peer",
    [tenant("t", { peers: ["t"] })],
    { "Tenant t": 'spec.peers[0]: "t" is the tenant itself' },
  ],
  [
    "of two peers with the same addresses the network that came last",
    [
      tenant("a", { peers: ["b"] }),
      tenant("b", { peers: ["a"] }),
      ...POOLS,
      network("m", { tenant: "a", pool: "p" }),
      network("n", { tenant: "b", pool: "q" }),
    ],
    {
      "Network n":
        'beside Tenant a: spec.peers[0]: 10.4.0.0/16 of "a" overlaps 10.4.7.0/24 of "b": tenants with the same addresses cannot reach each other; use other addresses, or share a service',
    },
  ],
  [
    "of two peers with the same addresses the tenant that came last",
    [
      ...POOLS,
      network("m", { tenant: "a", pool: "p" }),
      network("n", { tenant: "b", pool: "q" }),
      tenant("a", { peers: ["b"] }),
      tenant("b", { peers: ["a"] }),
    ],
    {
      "Tenant b":
        'beside Tenant a: spec.peers[0]: 10.4.0.0/16 of "a" overlaps 10.4.7.0/24 of "b": tenants with the same addresses cannot reach each other; use other addresses, or share a service',
      "Network n": 'spec.tenant: there is no tenant "b"; did you mean "a"?',
    },
  ],
  [
    "the network that brings the address of a service into the tenant",
    [tenant("t", { services: [SERVICE] }), pool("p", "10.4.0.0/16"), network("n", { tenant: "t", pool: "p" })],
    {
      "Network n":
        "beside Tenant t: spec.services[0].address: 10.4.0.9 lies in 10.4.0.0/16, a pool of the tenant's own; use an address outside of its pools",
    },
  ],
  [
    "a pool in the routers' range",
    [tenant("t"), pool("r", "169.254.17.0/24")],
    {
      "AddressPool r":
        'beside the configuration file: routers.transferRanges: 169.254.16.0/20 overlaps 169.254.17.0/24 of pool "r"',
    },
  ],
];
test.each(TENANTS_WRONG)("refused is %s, and others count", (_what, resources, refused) => {
  const other = [pool("other", "10.5.0.0/16"), tenant("other"), network("other", { tenant: "other", pool: "other" })];
  const found = together(TENANTS, [...resources, ...other]);
  expect(found.refused).toEqual(refused);
  expect(found.config.networks.get("other")?.tenant).toBe("other");
});

test("without a tenant of its own the file's pool may be where routers have their addresses, until one comes", () => {
  const file = "pools: [{ name: default, ranges: [[{ subnet: 169.254.17.0/24 }]] }]";
  expect(together(file, [pool("p", "10.4.0.0/16")]).refused).toEqual({});
  expect(Object.keys(together(file, [pool("p", "10.4.0.0/16"), tenant("t"), tenant("u")]).refused)).toEqual([
    "Tenant t",
    "Tenant u",
  ]);
});

test("a peer that is not there may come: the tenant counts, and says so", () => {
  const { refused, lacking, config } = together(TENANTS, [tenant("t", { peers: ["odl"] })]);
  expect([refused, lacking]).toEqual([
    {},
    { "Tenant t": 'spec.peers[0]: there is no tenant "odl"; did you mean "old"?' },
  ]);
  expect(config.tenants.get("t")?.peers).toEqual(["odl"]);
});

test("one that makes the file wrong is found among many", () => {
  const many = Array.from({ length: 40 }, (_, i) => network(`n${i}`));
  const { networks, refused } = together(FILE, [
    ...many.slice(0, 20),
    network("thief", { pool: "whole" }),
    ...many.slice(20),
  ]);
  expect(Object.keys(refused)).toEqual(["Network thief"]);
  expect(networks).toHaveLength(42);
});
