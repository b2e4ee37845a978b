/** Routers that are objects of Kubernetes, beside those of the file. */
import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { besideFile, type Resource } from "./resources.ts";

const FILE = `
pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }]
networks: [{ name: std, expose: true }]
kubernetes: { resources: true }
edge:
  windowMs: 250
  routers:
    - { name: edge1, url: https://192.0.2.1, key: { file: /k }, bgp: { as: 65000, nodesAs: 65001, addresses: [192.0.2.1] } }
    - { name: edge2, url: https://192.0.2.2, key: { environment: EDGE2 } }
  pairs:
    - { name: gate, routers: [edge1, edge2], networks: [{ interface: eth1, vrid: 1, addresses: [192.0.2.254/24] }] }
`;
const KEY = { secret: { name: "edge", key: "api" } };
const router = (name: string, spec: object = {}): Resource => ({
  kind: "Router",
  name,
  spec: { url: `https://${name}.example`, key: KEY, ...spec },
});
const pool = (name: string, subnet: string): Resource => ({
  kind: "AddressPool",
  name,
  spec: { ranges: [[{ subnet }]] },
});

function together(resources: readonly Resource[], file = FILE) {
  const { config, refused } = besideFile(file, () => undefined)(resources);
  return {
    config,
    routers: (config.edge?.routers ?? []).map(({ name }) => name),
    refused: Object.fromEntries([...refused].map(([{ kind, name }, { message }]) => [`${kind} ${name}`, message])),
  };
}

test("they count behind those of the file, with the settings that all have, and with the same defaults", () => {
  const spec = { static: {}, nat: { masquerade: [{ interface: "eth0" }] } };
  const { config, routers, refused } = together([router("far", spec)]);
  expect([routers, refused]).toEqual([["edge1", "edge2", "far"], {}]);
  expect(config.edge).toMatchObject({ windowMs: 250, driftSeconds: 60, pairs: [{ name: "gate" }] });
  const text = JSON.stringify({
    kubernetes: {},
    edge: { routers: [{ name: "far", ...(router("far", spec).spec as object) }] },
  });
  expect(config.edge?.routers[2]).toEqual({ ...parseConfig(text).edge?.routers[0], isObject: true });
  expect(config.edge?.routers.map(({ isObject }) => isObject)).toEqual([undefined, undefined, true]);
});

test("a file that says nothing of routers has room for them where objects count, and only there", () => {
  expect(parseConfig("kubernetes: { resources: true }").edge).toMatchObject({
    routers: [],
    pairs: [],
    windowMs: 1_000,
  });
  expect(parseConfig("kubernetes: {}").edge).toBeUndefined();
  expect(together([router("far")], "kubernetes: { resources: true }")).toMatchObject({ routers: ["far"], refused: {} });
  expect(together([], "kubernetes: { resources: true }").config.edge?.routers).toEqual([]);
});

const SITE = { name: "west", interface: "wg1", networks: ["10.5.0.0/16"] };
const PEER = { publicKey: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=" };
const inFileOnly = (at: string) => `spec.${at}: is possible in the nodes' configuration file only`;
const WRONG: readonly (readonly [what: string, resource: Resource, message: string])[] = [
  [
    "the name of one of the file's",
    router("edge1"),
    'metadata.name: the nodes\' configuration file has "edge1" among its edge.routers, which counts; use another name, or take it from there',
  ],
  ["a name of its own in the spec", router("a", { name: "a" }), inFileOnly("name")],
  ["a key in a file of the node", router("a", { key: { file: "/etc/shadow" } }), inFileOnly("key.file")],
  ["a key in the daemon's environment", router("a", { key: { environment: "PATH" } }), inFileOnly("key.environment")],
  ["an authority in a file of the node", router("a", { trust: { ca: "/etc/shadow" } }), inFileOnly("trust.ca")],
  [
    "a password in a file of the node",
    router("a", { bgp: { as: 1, nodesAs: 2, password: { file: "/etc/shadow" } } }),
    inFileOnly("bgp.password.file"),
  ],
  [
    "a tunnel's key in a file of the node",
    router("a", { sites: [{ ...SITE, wireguard: { ...PEER, privateKey: { file: "/etc/shadow" } } }] }),
    inFileOnly("sites[0].wireguard.privateKey.file"),
  ],
  [
    "a key in place of where it is",
    router("a", { key: "a long secret" }),
    "spec.key: what stands there is not an object such as {secret: {name: edge1, key: api}}",
  ],
  ["no key", router("a", { key: {} }), "spec.key: needs `secret`, as in {secret: {name: edge1, key: api}}"],
  [
    "a password in place of where it is",
    router("a", { bgp: { as: 1, nodesAs: 2, password: "a long secret" } }),
    "spec.bgp.password: what stands there is not an object such as {secret: {name: edge1, key: api}}",
  ],
  [
    "a tunnel that is none",
    router("a", { sites: [{ ...SITE, wireguard: 7 }] }),
    "spec.sites[0].wireguard: 7 is not an object such as {privateKey: {secret: {name: edge1, key: wg}}, publicKey: …}",
  ],
  [
    "another kind of tunnel that is none",
    router("a", { sites: [{ ...SITE, interface: "vti1", ipsec: 7 }] }),
    "spec.sites[0].ipsec: 7 is not an object such as {local: 198.51.100.9, remote: 198.51.100.2, secret: {secret: {name: edge1, key: west}}}",
  ],
  ["trust in a word", router("a", { trust: 7 }), 'spec.trust: 7 is not an object such as {fingerprint: "0f:…"}'],
  [
    "another scheme",
    router("a", { url: "http://192.0.2.9" }),
    'spec.url: "http://192.0.2.9" is not a URL such as "https://192.0.2.1" or "https://edge1.example:8443"',
  ],
  ["an unknown setting", router("a", { statics: {} }), 'spec.statics: unknown setting; did you mean "static"?'],
  [
    "a pool that is not there",
    router("a", { nat: { masquerade: [{ interface: "eth0", pools: ["defualt"] }] } }),
    'spec.nat.masquerade[0].pools[0]: there is no pool "defualt"; did you mean "default"?',
  ],
  [
    "another AS of the nodes' than the file's",
    router("a", { bgp: { as: 65_000, nodesAs: 65_002, addresses: ["192.0.2.9"] } }),
    "spec.bgp.nodesAs: is 65002, and 65001 for another router; a node has one AS",
  ],
];
test.each(WRONG)("refused is %s, and others count", (_what, resource, message) => {
  const { refused, routers } = together([resource, router("right")]);
  expect([refused, routers]).toEqual([{ [`Router ${resource.name}`]: message }, ["edge1", "edge2", "right"]]);
});

const speaking = (name: string, nodesAs: number, address = "192.0.2.9") =>
  router(name, { bgp: { as: 65_000, nodesAs, addresses: [address] } });
test("of two that cannot both be the earlier one counts, and one beside another that is wrong itself", () => {
  const file = "kubernetes: { resources: true }";
  const two = together([speaking("b", 65_001), speaking("a", 65_002, "192.0.2.8")], file);
  expect([two.routers, Object.keys(two.refused)]).toEqual([["b"], ["Router a"]]);
  const wrong = { ...speaking("b", 65_001), spec: { ...(speaking("b", 65_001).spec as object), url: "no" } };
  const one = together([wrong, speaking("a", 65_002, "192.0.2.8")], file);
  expect([one.routers, Object.keys(one.refused)]).toEqual([["a"], ["Router b"]]);
});

test("an object is no other router's, neither by its URL nor by an address that nodes call; the earlier one counts", () => {
  const far = { url: "HTTPS://Far.example:443" };
  const said = "spec.url: https://far.example is the URL of another router, too; leave one of the two out";
  expect(together([router("b", far), router("a", far)])).toMatchObject({
    routers: ["edge1", "edge2", "b"],
    refused: { "Router a": said },
  });
  expect(together([router("a", { url: "https://192.0.2.2/" })]).refused).toEqual({
    "Router a": "spec.url: https://192.0.2.2 is the URL of another router, too; leave one of the two out",
  });
  const again = "spec.bgp.addresses[0]: 192.0.2.1 is there before; FRR on a node calls it once";
  expect(together([speaking("a", 65_001, "192.0.2.1")]).refused).toEqual({ "Router a": again });
  const twice = router("a", { bgp: { as: 1, nodesAs: 65_001, addresses: ["2001:db8::1", "2001:db8:0::1"] } });
  expect(together([twice]).refused).toEqual({
    "Router a": "spec.bgp.addresses[1]: 2001:db8::1 is there before; FRR on a node calls it once",
  });
});

const WEST = router("west", { sites: [{ ...SITE, wireguard: { ...PEER, privateKey: KEY } }] });
test("of a router's site and a pool with addresses of it the earlier one counts", () => {
  const here = '10.5.0.0/16 is here: pool "p" has 10.5.0.0/16; name only what is reached there';
  const [after, before] = [together([pool("p", "10.5.0.0/16"), WEST]), together([WEST, pool("p", "10.5.0.0/16")])];
  expect(after.refused).toEqual({ "Router west": `spec.sites[0].networks: ${here}` });
  expect(before.refused).toEqual({ "AddressPool p": `beside Router west: spec.sites[0].networks: ${here}` });
  expect([after.routers, before.routers].map((each) => each.includes("west"))).toEqual([false, true]);
});

test("one names pools that are objects, whichever comes first", () =>
  expect(together([router("far", { pools: ["p"] }), pool("p", "10.5.0.0/16")]).refused).toEqual({}));
