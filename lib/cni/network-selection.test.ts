import { expect, test } from "@jest/globals";
import { parseSelections } from "./network-selection.ts";

const plain = (namespace: string, name: string, ifname: string, path: string) => ({
  namespace,
  name,
  interface: ifname,
  ips: [],
  portMappings: [],
  args: {},
  path: `k8s.v1.cni.cncf.io/networks${path}`,
});
const READ: [what: string, annotation: string, read: object[]][] = [
  ["nothing", " ", []],
  ["a name", "blue", [plain("shop", "blue", "net1", "[0]")]],
  [
    "names with commas, of other namespaces, with interfaces",
    "blue, tenants/green@g0,a/b.c",
    [plain("shop", "blue", "net1", "[0]"), plain("tenants", "green", "g0", "[1]"), plain("a", "b.c", "net3", "[2]")],
  ],
  ["one twice", "blue,blue", [plain("shop", "blue", "net1", "[0]"), plain("shop", "blue", "net2", "[1]")]],
  ["no list", "[]", []],
  [
    "a list",
    '[{"name": "blue", "namespace": ""}, {"name": "green", "namespace": "tenants", "interface": "g0"}]',
    [plain("shop", "blue", "net1", "[0]"), plain("tenants", "green", "g0", "[1]")],
  ],
  [
    "every wish",
    `[{"name": "blue", "ips": ["10.1.0.5/16", "fd00::5"], "mac": "02-00-00-00-00-0A", "default-route": ["10.1.0.1"],
      "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "UDP"}], "bandwidth": {"ingressRate": 1000},
      "cni-args": {"labels": []}, "ipam-claim-reference": "unheeded"}]`,
    [
      {
        ...plain("shop", "blue", "net1", "[0]"),
        ips: ["10.1.0.5/16", "fd00::5"],
        mac: "02:00:00:00:00:0a",
        defaultRoute: ["10.1.0.1"],
        portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "udp" }],
        bandwidth: { ingressRate: 1000 },
        args: { labels: [] },
      },
    ],
  ],
  [
    "the default route by whatever gateway the network has",
    '[{"name": "blue", "default-route": []}]',
    [{ ...plain("shop", "blue", "net1", "[0]"), defaultRoute: [] }],
  ],
];
test.each(READ)("%s", (_what, annotation, read) => expect(parseSelections(annotation, "shop")).toEqual(read));

const AT = "k8s.v1.cni.cncf.io/networks";
const REFUSED: [annotation: string, message: string][] = [
  ["a/b/c", `${AT}[0]: "a/b/c" is not a NetworkAttachmentDefinition such as blue, tenants/blue or tenants/blue@net1`],
  ["blue@", `${AT}[0]: "blue@" is not a NetworkAttachmentDefinition`],
  ["/blue", `${AT}[0]: "/blue" is not a NetworkAttachmentDefinition`],
  ["Blue", `${AT}[0].name: "Blue" is not a name of an object of Kubernetes`],
  ["blue@a:b", `${AT}[0].interface: "a:b" is not a link name`],
  ["[1", `${AT}: "[1" is not a list of networks, with commas between them or in JSON`],
  ["[1]", `${AT}[0]: 1 is not an object`],
  ["[{}]", `${AT}[0].name: is missing; it must be a string`],
  ['[{"name": "a", "ips": "10.1.0.5"}]', `${AT}[0].ips: "10.1.0.5" is not a list`],
  ['[{"name": "a", "mac": "x"}]', `${AT}[0].mac: "x" is not`],
  ['[{"name": "a", "default-route": ["x"]}]', `${AT}[0].default-route[0]: "x" is not an IP address`],
  [
    '[{"name": "a", "default-route": []}, {"name": "b", "default-route": ["10.1.0.1"]}]',
    `${AT}[1].default-route: ["10.1.0.1"] is not possible twice`,
  ],
  ['[{"name": "a", "infiniband-guid": "24:8a:07:03:00:8d:ae:2f"}]', `${AT}[0].infiniband-guid: "24:8a`],
  ['[{"name": "a", "portMappings": [{"hostPort": 0, "containerPort": 80}]}]', `${AT}[0].portMappings[0].hostPort: 0`],
];
test.each(REFUSED)("%j is refused", (annotation, message) => {
  expect(() => parseSelections(annotation, "shop")).toThrow(message);
});
