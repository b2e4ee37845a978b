import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { parseConfig } from "./config.ts";
import { refusal } from "./refusal.ts";
import { SETTINGS, settingsTable } from "./settings.ts";

const DEFAULT_POOL = {
  name: "default",
  ranges: { path: "pools[0].ranges", value: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd42:5e1f:ed9e::/64" }]] },
  exclude: [],
  keepAddress: false,
  blockSize: { 4: 26, 6: 122 },
};

test("no file is a working configuration", () => {
  expect(parseConfig("")).toEqual({
    socket: "/run/selvedge/selvedged.sock",
    stateDir: "/var/lib/selvedge",
    queueDirs: ["/var/lib/selvedge/queue", "/run/selvedge/queue"],
    log: { level: "info" },
    workers: 8,
    queueLimit: 2000,
    shutdownSeconds: 8,
    ipam: { coolDownSeconds: 130 },
    pools: [DEFAULT_POOL],
    poolRules: [],
    reservations: [],
    defaultPool: "default",
    defaults: { attachment: "ptp", ipMasq: true, spoofProtection: true },
    networks: new Map(),
    planeRules: [],
    sriov: { pools: [], resourcePrefix: "selvedge.dev" },
    tenants: new Map(),
    routers: {
      dir: "/run/selvedge/tenants",
      transferRanges: ["169.254.16.0/20", "fd42:5e1f:ed9d::/112"],
      probeRanges: ["169.254.128.0/17", "fd42:5e1f:ed9d:1::/64"],
    },
    attachmentDefinitions: false,
    noMasquerade: [],
    routerAdvertisedLinks: [],
    reconcile: { everySeconds: 30, debounceMs: 100 },
  });
});

test("a section with nothing in it is absent", () => {
  expect(parseConfig("log:\nreconcile:\n  everySeconds:\npools:\n")).toEqual(parseConfig("# nothing\n"));
});

test("a network has what it says, and the defaults for the rest", () => {
  const { networks, pools } = parseConfig(`
defaults: {mtu: 1400, ipMasq: false}
defaultPool: std
pools:
  - name: std
    ranges: [[{subnet: 10.1.0.0/16}]]
    exclude: [10.1.0.0/24, "FD00:0::1/64"]
  - {name: media, ranges: [[{subnet: 10.2.0.0/16}]]}
networks:
  - name: plain
  - name: media
    attachment: bridge
    pool: media
    mtu: 9000
    ipMasq: true
    spoofProtection: false
    routes: [{dst: 10.9.0.0/16, gw: 10.2.0.1, priority: 7, mtu: 1300}]
    dns: {nameservers: [10.0.0.2]}
    options: {bridge: media0, hairpinMode: true}
`);
  expect(pools[0]?.exclude).toEqual(["10.1.0.0/24", "fd00::1/64"]);
  expect([...networks.keys()]).toEqual(["plain", "media"]);
  expect(networks.get("plain")).toEqual({
    name: "plain",
    attachment: "ptp",
    pools: ["std"],
    mtu: 1400,
    ipMasq: false,
    spoofProtection: true,
    routes: [],
    dns: {},
    planes: [],
    ipMasqAsPlane: false,
    reportProbeAddress: false,
    expose: false,
    options: { path: "networks[0].options", value: {} },
  });
  expect(networks.get("media")).toEqual({
    name: "media",
    attachment: "bridge",
    pools: ["media"],
    mtu: 9000,
    ipMasq: true,
    spoofProtection: false,
    routes: [{ to: "10.9.0.0/16", via: "10.2.0.1", metric: 7, mtu: 1300 }],
    dns: { nameservers: ["10.0.0.2"] },
    planes: [],
    ipMasqAsPlane: true,
    reportProbeAddress: false,
    expose: false,
    options: { path: "networks[1].options", value: { bridge: "media0", hairpinMode: true } },
  });
});

test("everything that is wrong is said at once, with its place and what would be right", () => {
  const text = `sockets: /x
workers: 0
pools:
  - name: std
    ranges: [[{subnet: 10.0.0.0/24}]]
    exclude: [10.0.0.1]
  - name: std
    rangs: []
defaultPool: st
networks:
  - {name: media, pool: sdt, mtu: big, ipMask: true, routes: [{dst: x}]}
  - 5
ipam: 7
`;
  expect(refusal(text)).toEqual([
    'c.yaml:1:1: sockets: unknown setting; did you mean "socket"?',
    "c.yaml:2:1: workers: 0 is not a whole number from 1 to 256",
    'c.yaml:6:15: pools[0].exclude[0]: "10.0.0.1" is not a prefix such as "10.1.0.0/16" or "fd00::/64"',
    "c.yaml:7:5: pools[1].ranges: is missing; it must be a list of lists of ranges, as in host-local",
    'c.yaml:7:5: pools[1].name: "std" is the name of another one, too',
    'c.yaml:8:5: pools[1].rangs: unknown setting; did you mean "ranges"?',
    'c.yaml:9:1: defaultPool: there is no pool "st"; did you mean "std"?',
    'c.yaml:11:19: networks[0].pool: there is no pool "sdt"; did you mean "std"?',
    'c.yaml:11:30: networks[0].mtu: "big" is not a whole number from 576 to 65535',
    'c.yaml:11:40: networks[0].ipMask: unknown setting; did you mean "ipMasq"?',
    'c.yaml:11:64: networks[0].routes[0].dst: "x" is not a prefix such as "10.1.0.0/16" or "fd00::/64"',
    "c.yaml:12:5: networks[1]: 5 is not an object such as {name: media, pool: media}",
    "c.yaml:13:1: ipam: 7 is not an object",
  ]);
});

const REFUSED: [text: string, message: string][] = [
  ["- 1", "c.yaml:1:1: configuration: [1] is not an object"],
  ["socket: run/x", 'c.yaml:1:1: socket: "run/x" is not an absolute path'],
  ["log: {level: loud}", 'c.yaml:1:7: log.level: "loud" is not "debug" or "info" or "warn" or "error"'],
  ['workers: "8"', 'c.yaml:1:1: workers: "8" is not a whole number from 1 to 256'],
  ["pools: []", 'c.yaml:1:1: defaultPool: there is no pool "default"; known: none'],
  [
    "routerAdvertisedLinks: [eth0/1]",
    'c.yaml:1:25: routerAdvertisedLinks[0]: "eth0/1" is not a link name of 1 to 15 bytes',
  ],
  ["routerAdvertisedLinks: [..]", 'c.yaml:1:25: routerAdvertisedLinks[0]: ".." is not a link name of 1 to 15 bytes'],
  [
    "routerAdvertisedLinks: [ääääääää]",
    'c.yaml:1:25: routerAdvertisedLinks[0]: "ääääääää" is not a link name of 1 to 15 bytes',
  ],
  ["sriov: {pools: [{name: a}, {name: a}]}", 'c.yaml:1:29: sriov.pools[1].name: "a" is the name of another one, too'],
  ...["169.254.16.1/32", "fd42:5e1f:ed9d::/128"].map((one): [string, string] => [
    `routers: {transferRanges: ["${one}"]}`,
    `c.yaml:1:28: routers.transferRanges[0]: "${one}" is not a prefix of at least two addresses such as "169.254.16.0/20"`,
  ]),
  [
    "networks: [{name: n, mtu: 1279}]",
    'c.yaml:1:22: networks[0].mtu: 1279 is too little for fd42:5e1f:ed9e::/64, of which network "n" has addresses: IPv6 needs 1280 bytes',
  ],
  [
    "{defaults: {mtu: 600}, pools: [{name: default, ranges: [[{subnet: 10.1.0.0/16}]]}, {name: six, ranges: [[{subnet: 'fd00::/64'}]]}], networks: [{name: four}, {name: n, pools: [default, six]}, {name: wide, mtu: 1280, pool: six}]}",
    'c.yaml:1:13: defaults.mtu: 600 is too little for fd00::/64, of which network "n" has addresses: IPv6 needs 1280 bytes',
  ],
  ["reconcile: {zzz: 1}", "c.yaml:1:13: reconcile.zzz: unknown setting; known: everySeconds, debounceMs"],
  [
    "networks: [{name: m, attachment: macvlan, spoofProtection: true}]",
    'c.yaml:1:43: networks[0].spoofProtection: true is not possible with attachment "macvlan", whose packets do not pass the node; types that have it: ptp, bridge',
  ],
  [
    "{defaults: {attachment: vlan}, networks: [{name: p, attachment: ptp, qos: {dscp: EF}}, {name: m, qos: {dscp: EF}}]}",
    'c.yaml:1:104: networks[1].qos.dscp: "EF" is not possible with attachment "vlan", whose packets do not pass the node; types that have it: ptp, bridge',
  ],
  [
    "networks: [{name: n, pool: default, pools: [default]}]",
    'c.yaml:1:37: networks[0].pools: is not possible together with pool "default"',
  ],
  ["networks: [{name: n, pools: []}]", "c.yaml:1:22: networks[0].pools: is empty; leave it out, or name pools"],
  [
    "networks: [{name: n, pools: [defualt]}]",
    'c.yaml:1:30: networks[0].pools[0]: there is no pool "defualt"; did you mean "default"?',
  ],
  [
    "{pools: [{name: default, ranges: [[{subnet: 10.1.0.0/16}], [{subnet: 10.2.0.0/16}]]}, {name: b, ranges: [[{subnet: 10.3.0.0/16}]]}], networks: [{name: n, pools: [default, b]}]}",
    'c.yaml:1:163: networks[0].pools[0]: "default" has several lists of ranges of one family; where several pools are named, each has one at most',
  ],
  [
    "{pools: [{name: default, ranges: [[{subnet: 10.1.0.0/16}]]}], networks: [{name: n, pools: [default, default]}]}",
    'c.yaml:1:101: networks[0].pools[1]: "default" is named twice',
  ],
  ["workers: 1\nworkers: 2", "c.yaml:2:1: Map keys must be unique"],
  ["a: *b", "c.yaml: Unresolved alias (the anchor must be set before the alias): b"],
];
test.each(REFUSED)("%j is refused", (text, message) => expect(refusal(text)).toEqual([message]));

test("aliases that multiply are refused", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(",")}]`);
  expect(refusal(["l0: &l0 [x]", ...levels].join("\n"))).toEqual([
    "c.yaml: Excessive alias count indicates a resource exhaustion attack",
  ]);
});

test("no text and no value does more than be refused", () => {
  const value = fc.anything({
    maxDepth: 4,
    key: fc.constantFrom(...SETTINGS.map(({ name }) => name.split(/[.[\]]+/).at(-1) ?? ""), "__proto__"),
  });
  const text = fc.oneof(
    fc.string(),
    value.map((v) => JSON.stringify(v) ?? ""),
  );
  fc.assert(
    fc.property(text, (random) => expect(Array.isArray(refusal(random))).toBe(true)),
    { numRuns: 2_000 },
  );
});

test("every setting has a type, a meaning and a name of its own", () => {
  expect(SETTINGS.length).toBeGreaterThan(30);
  expect(SETTINGS.filter(({ type, meaning }) => type === "" || meaning === "")).toEqual([]);
  expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  expect(SETTINGS.find(({ name }) => name === "networks[].mtu")).toEqual({
    name: "networks[].mtu",
    type: "a whole number from 576 to 65535",
    default: "",
    meaning: "As `defaults.mtu`.",
  });
});

test("the README holds the table of settings", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toContain(settingsTable());
});
