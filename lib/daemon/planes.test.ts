import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { parseNetConf } from "#lib/cni/netconf.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { RuleFact } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { refusePlanesBehind } from "./asked-planes.ts";
import { contested } from "./contested.ts";
import { planesOf } from "./planes.ts";
import { table } from "./table.ts";

const CONFIG = parseConfig(`
networks:
  - {name: std, planes: [control, {network: media, interface: m0}]}
  - {name: control}
  - {name: media, ipMasq: true, policyRouting: false}
  - {name: lonely, policyRouting: true}
  - {name: lo}
  - {name: guarded, namespaces: [telco-*]}
planeRules:
  - {namespace: telco, planes: [control]}
  - {pod: upf-*, labels: {app: upf}, planes: [media]}
`);

const KEY = { containerId: "c1", ifname: "eth0" };

type Conf = Readonly<Record<string, unknown>>;
const annotated = (planes: string): Conf => ({
  runtimeConfig: { "io.kubernetes.cri.pod-annotations": { "selvedge.dev/planes": planes } },
});
const labelled = { args: { cni: { labels: [{ key: "app", value: "upf" }] } } };

function decided(
  conf: Conf,
  { args = "", records = [] }: { args?: string; records?: readonly AttachmentRecord[] } = {},
) {
  const text = JSON.stringify({ cniVersion: "1.1.0", name: "n", type: "selvedge", ...conf });
  const known = table(contested);
  for (const record of records) known.put(record);
  return planesOf({ config: CONFIG, table: known }, KEY, parseNetConf("ADD", Buffer.from(text), args));
}

/** `eth0 on std table 0 default`, one for each plane. */
const told = (...of: Parameters<typeof decided>): string[] =>
  decided(...of).map(({ key, conf, slot, defaultRoute }) =>
    [
      key.ifname,
      ...(conf.network === undefined ? [] : ["on", conf.network]),
      ...(slot === undefined ? [] : [`slot ${slot}`]),
      ...(defaultRoute === undefined ? [] : [defaultRoute ? "default" : "not default"]),
    ].join(" "),
  );

const TELCO = "K8S_POD_NAMESPACE=telco;K8S_POD_NAME=p";
const UPF = "K8S_POD_NAMESPACE=x;K8S_POD_NAME=upf-0";
const WANTED: [name: string, conf: Conf, args: string, told: string[]][] = [
  ["one network", {}, "", ["eth0"]],
  ["one network with policy routing", { network: "lonely" }, "", ["eth0 on lonely slot 0"]],
  [
    "a network's planes; one of them without policy routing",
    { network: "std" },
    "",
    ["eth0 on std slot 0", "control on control slot 1 not default", "m0 on media not default"],
  ],
  [
    "planes of the configuration, before its network's; the first is the network itself",
    { planes: ["control", "std"] },
    "",
    ["eth0 on control slot 0", "std on std slot 1 not default"],
  ],
  [
    "the annotation before everything, with the network itself anywhere",
    { network: "std", planes: ["control"], ...annotated("media,std") },
    "",
    ["eth0 on std slot 0", "media on media not default"],
  ],
  ["an empty annotation is none", { network: "std", ...annotated("") }, "", ["eth0 on std"]],
  [
    "another plane with the default route",
    { network: "std", planes: [{ network: "control", defaultRoute: true }] },
    "",
    ["eth0 on std slot 0 not default", "control on control slot 1 default"],
  ],
  ["a rule by namespace", {}, TELCO, ["eth0 slot 0", "control on control slot 1 not default"]],
  ["a rule by name and label", labelled, UPF, ["eth0 slot 0", "media on media not default"]],
  ["a rule whose label is missing", {}, UPF, ["eth0"]],
];
test.each(WANTED)("%s", (_name, conf, args, planes) => expect(told(conf, { args })).toEqual(planes));

const REFUSED: [name: string, conf: Conf, message: string][] = [
  [
    "a network that is not there",
    { planes: ["std", "medai"] },
    'network: "medai" is not a network of the daemon\'s configuration; known: std, control, media, lonely, lo, guarded',
  ],
  [
    "a plane named twice",
    { network: "std", planes: ["control", "control"] },
    'planes[1]: the plane "control" is named twice',
  ],
  [
    "an interface named twice",
    { network: "std", planes: ["media", { network: "control", interface: "media" }] },
    'planes[1]: the interface "media" is that of the plane media already',
  ],
  [
    "the interface that the runtime asks for",
    { network: "std", planes: [{ network: "control", interface: "eth0" }] },
    'planes[0]: the interface "eth0" is that of CNI_IFNAME already',
  ],
  ["the loopback", { network: "std", planes: ["lo"] }, 'planes[0]: the interface "lo" is that of every pod already'],
];
test.each(REFUSED)("%s is refused", (_name, conf, message) => expect(() => decided(conf)).toThrow(message));

test("what came with the request is for its own interface; a plane masquerades when its network says so", () => {
  const planes = decided({
    network: "std",
    mtu: 1300,
    runtimeConfig: {
      portMappings: [{ hostPort: 80, containerPort: 80 }],
      bandwidth: { ingressRate: 1 },
      ips: ["10.66.0.9"],
    },
  });
  expect(
    planes.map(({ settings, conf }) => [
      settings.mtu,
      settings.ipMasq,
      conf.wishes.portMappings.length,
      conf.wishes.ips,
    ]),
  ).toEqual([
    [1300, true, 1, ["10.66.0.9"]],
    [undefined, false, 0, []],
    [undefined, true, 0, []],
  ]);
  expect(planes[1]?.conf.wishes.bandwidth).toBeUndefined();
});

test("a plane goes by the name that its own annotation says, else by the pod's", () => {
  const annotations = { "selvedge.dev/reservation": "telco/db", "m0.selvedge.dev/reservation": "vm:a" };
  const planes = decided({ network: "std", runtimeConfig: { "io.kubernetes.cri.pod-annotations": annotations } });
  expect(planes.map(({ key, conf }) => [key.ifname, conf.wishes.reservation])).toEqual([
    ["eth0", "telco/db"],
    ["control", "telco/db"],
    ["m0", "vm:a"],
  ]);
});

test("an annotation leads to a network only where the network is for the pod's namespace", () => {
  const joining = (namespace: string) => () =>
    told(annotated("guarded"), { args: `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=p` });
  expect(joining("telco-1")()).toEqual(["eth0 slot 0", "guarded on guarded slot 1 not default"]);
  expect(joining("other")).toThrow(
    'selvedge.dev/planes[0]: the network "guarded" is not for pods of namespace "other"',
  );
  expect(told({ planes: ["std", "guarded"] })).toEqual(["eth0 on std slot 0", "guarded on guarded slot 1 not default"]);
});

const rule: RuleFact = { type: "rule", at: "pod", family: 4, priority: 5300, table: 100, from: prefix("10.1.0.5/32") };
const earlier = sampleRecord({
  ifname: "net1",
  network: "n",
  facts: [rule],
  planes: [
    { name: "a", ifname: "net1", type: "ptp" },
    { name: "control", ifname: "control", type: "ptp" },
  ],
});

test("a later attachment takes the next free table, and no planes from what the runtime repeats", () => {
  const records = [earlier];
  expect(told({ network: "lonely", ...annotated("media") }, { args: TELCO, records })).toEqual([
    "eth0 on lonely slot 1",
  ]);
});

test("behind another plugin there are no planes", () => {
  const conf = (planes: Conf) => {
    const text = JSON.stringify({ cniVersion: "1.1.0", name: "n", type: "selvedge", ...planes });
    return parseNetConf("ADD", Buffer.from(text), "");
  };
  expect(refusePlanesBehind(conf({}))).toBeUndefined();
  expect(() => refusePlanesBehind(conf({ planes: ["std"] }))).toThrow(
    'planes: ["std"] is not supported behind another plugin, which makes the pod\'s links',
  );
});

test("an interface of another attachment's plane is refused", () => {
  expect(() => decided({ network: "std" }, { records: [earlier] })).toThrow(
    "the interface control of container c1 belongs to its attachment net1 to network n",
  );
});
