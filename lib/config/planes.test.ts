import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { refusal } from "./refusal.ts";
import { ATTACHMENTS } from "./schema.ts";
import { optionsOf, SHORTHAND } from "./shorthand.ts";

const networksOf = (text: string) => parseConfig(text).networks;

test("a network names its planes, shortly or as objects", () => {
  const networks = networksOf(`
networks:
  - name: std
    planes: [control, {network: media, interface: m0, defaultRoute: true}]
    policyRouting: true
  - {name: control}
  - {name: media, ipMasq: true}
`);
  expect(networks.get("std")).toMatchObject({
    planes: [{ network: "control" }, { network: "media", interface: "m0", defaultRoute: true }],
    policyRouting: true,
    ipMasqAsPlane: false,
  });
  expect(networks.get("media")).toMatchObject({ planes: [], ipMasqAsPlane: true });
});

test("a tenant's network is joined by annotation only where it says so", () => {
  const networks = networksOf(`
tenants: [{name: red}]
networks: [{name: a}, {name: b, tenant: red}, {name: c, tenant: red, namespaces: [red-*]}]
`);
  expect([...networks.values()].map(({ namespaces }) => namespaces)).toEqual([undefined, [], ["red-*"]]);
});

test("rules name pods and the planes that they get", () => {
  const { planeRules } = parseConfig(`
networks: [{name: control}]
planeRules:
  - {namespace: telco-*, labels: {plane: "yes"}, planes: [control]}
  - {pod: upf-*, annotations: {a: b}, planes: []}
`);
  expect(planeRules).toEqual([
    { namespace: "telco-*", labels: { plane: "yes" }, planes: [{ network: "control" }] },
    { pod: "upf-*", annotations: { a: "b" }, planes: [] },
  ]);
});

test("what every operator sets becomes what the type calls it; its own name wins", () => {
  const networks = networksOf(`
networks:
  - {name: a, attachment: macvlan, parent: eth1}
  - {name: b, attachment: vlan, parent: eth1, vlan: 7}
  - {name: c, attachment: bridge, bridge: br1, vlan: 8, options: {bridge: br2, hairpinMode: true}}
`);
  expect([...networks.values()].map(({ options }) => options.value)).toEqual([
    { master: "eth1" },
    { master: "eth1", vlanId: 7 },
    { bridge: "br2", vlan: 8, hairpinMode: true },
  ]);
  expect(Object.keys(SHORTHAND)).toEqual([...ATTACHMENTS]);
  expect(optionsOf("ptp", { parent: undefined })).toEqual({});
});

const REFUSED: [name: string, text: string, message: string][] = [
  [
    "a plane on a network that is not there",
    "networks: [{name: std, planes: [medai]}, {name: media}]",
    'c.yaml:1:33: networks[0].planes[0]: there is no network "medai"; did you mean "media"?',
  ],
  [
    "the same in a rule",
    "planeRules: [{planes: [{network: x}]}]",
    'c.yaml:1:25: planeRules[0].planes[0].network: there is no network "x"; known: none',
  ],
  [
    "a network that names itself",
    "networks: [{name: std, planes: [std]}]",
    'c.yaml:1:33: networks[0].planes[0]: "std" is the network itself, which is the first plane anyway',
  ],
  [
    "a plane named twice",
    "networks: [{name: std, planes: [media, {network: media, interface: m1}]}, {name: media}]",
    'c.yaml:1:41: networks[0].planes[1].network: the plane "media" is named twice',
  ],
  [
    "an interface named twice",
    "networks: [{name: std, planes: [media, {network: control, interface: media}]}, {name: media}, {name: control}]",
    'c.yaml:1:59: networks[0].planes[1].interface: the interface "media" is that of another plane, too',
  ],
  [
    "an interface whose name is too long",
    "networks: [{name: std, planes: [a-network-of-media]}, {name: a-network-of-media}]",
    'c.yaml:1:33: networks[0].planes[0]: "a-network-of-media" is too long for the name of a link; give an "interface" of 1 to 15 bytes',
  ],
  [
    "two default routes",
    "networks: [{name: std, planes: [{network: a, defaultRoute: true}, {network: b, defaultRoute: true}]}, {name: a}, {name: b}]",
    'c.yaml:1:80: networks[0].planes[1].defaultRoute: the default route leads to the plane "a" already',
  ],
  [
    "something that is no plane",
    "networks: [{name: std, planes: [5]}]",
    "c.yaml:1:33: networks[0].planes[0]: 5 is not the name of a network, or an object such as {network: media, interface: m0}",
  ],
  [
    "an unknown key of a plane",
    "networks: [{name: std, planes: [{network: media, ifname: m0}]}, {name: media}]",
    "c.yaml:1:50: networks[0].planes[0].ifname: unknown setting; known: network, interface, defaultRoute",
  ],
  [
    "a parent where the type has none",
    "networks: [{name: std, parent: eth1}]",
    'c.yaml:1:24: networks[0].parent: "eth1" is not possible with attachment "ptp"; types that have it: macvlan, ipvlan, vlan, host-device, sriov',
  ],
  [
    "labels that are no texts",
    "planeRules: [{labels: {a: 1}, planes: []}]",
    'c.yaml:1:15: planeRules[0].labels: {"a":1} is not an object whose values are texts',
  ],
];
test.each(REFUSED)("%s is refused", (_name, text, message) => expect(refusal(text)).toEqual([message]));

const POOLS =
  "pools: [{name: a, ranges: [[{subnet: 10.1.0.0/16}]]}, {name: b, ranges: [[{subnet: 10.1.2.0/24}]]}]\ndefaultPool: a\n";

test("pools that overlap on the same router are refused", () => {
  expect(refusal(`${POOLS}networks: [{name: n, pool: b}]`)).toEqual([
    'c.yaml:1:65: pools[1].ranges: 10.1.2.0/24 overlaps 10.1.0.0/16 of pool "a", and both serve networks without a tenant; use other addresses, or networks of different tenants',
  ]);
});
