import { expect, test } from "@jest/globals";
import { readManifest } from "./manifest.ts";

const network = (spec: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "x", name: "web" },
  spec,
});
const cluster = (spec: object) => ({
  apiVersion: "policy.networking.k8s.io/v1alpha2",
  kind: "ClusterNetworkPolicy",
  metadata: { name: "all" },
  spec: { tier: "Admin", priority: 7, subject: { namespaces: {} }, ...spec },
});
const from = (peer: object) => network({ ingress: [{ from: [peer] }] });
const port = (port: object) => network({ ingress: [{ ports: [port] }] });
const rule = (of: object) => cluster({ egress: [{ action: "Deny", to: [{ networks: ["10.0.0.0/8"] }], ...of }] });

const REFUSED: [name: string, object: unknown, message: string][] = [
  ["no kind", {}, "kind: is missing; it must be a string"],
  [
    "a field that is not known",
    network({ podSelectr: {} }),
    "NetworkPolicy x/web: spec.podSelectr: there is no such field; did you mean podSelector?",
  ],
  [
    "a name of capitals",
    { ...network({}), metadata: { name: "Web" } },
    'metadata.name: "Web" is not a name of lower-case letters, digits, - and .',
  ],
  [
    "a type of policy that is none",
    network({ policyTypes: ["ingress"] }),
    'NetworkPolicy x/web: spec.policyTypes[0]: "ingress" is not one of "Ingress", "Egress"',
  ],
  [
    "an operator that is none",
    network({ podSelector: { matchExpressions: [{ key: "app", operator: "Is", values: ["a"] }] } }),
    'NetworkPolicy x/web: spec.podSelector.matchExpressions[0].operator: "Is" is not one of "In", "NotIn", "Exists", "DoesNotExist"',
  ],
  [
    "In without values",
    network({ podSelector: { matchExpressions: [{ key: "app", operator: "In" }] } }),
    "NetworkPolicy x/web: spec.podSelector.matchExpressions[0].values: is missing; it must be at least one value, as operator In needs",
  ],
  [
    "Exists with values",
    network({ podSelector: { matchExpressions: [{ key: "app", operator: "Exists", values: ["a"] }] } }),
    'NetworkPolicy x/web: spec.podSelector.matchExpressions[0].values: ["a"] is not absent, as operator Exists takes none',
  ],
  [
    "a label that is none",
    network({ podSelector: { matchLabels: { app: "a b" } } }),
    'NetworkPolicy x/web: spec.podSelector.matchLabels.app: "a b" is not a label\'s value: at most 63 letters, digits, -, _ and ., with letters or digits at both ends',
  ],
  [
    "a peer that is nobody",
    from({}),
    "NetworkPolicy x/web: spec.ingress[0].from[0]: {} is not a peer: a podSelector, a namespaceSelector or an ipBlock",
  ],
  [
    "a block with a selector",
    from({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }),
    'NetworkPolicy x/web: spec.ingress[0].from[0]: {"ipBlock":{"cidr":"10.0.0.0/8"},"podSelector":{}} is not an ipBlock alone, or selectors without one',
  ],
  [
    "a block that is none",
    from({ ipBlock: { cidr: "10.0.0.0/33" } }),
    'NetworkPolicy x/web: spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0/33" is not an address with a prefix length such as "10.1.0.5/16" or "fd00::5/64"',
  ],
  [
    "an exception outside of its block",
    from({ ipBlock: { cidr: "10.0.0.0/8", except: ["192.0.2.0/24"] } }),
    'NetworkPolicy x/web: spec.ingress[0].from[0].ipBlock.except[0]: "192.0.2.0/24" is not a part of 10.0.0.0/8',
  ],
  [
    "an exception that leaves nothing",
    from({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }),
    'NetworkPolicy x/web: spec.ingress[0].from[0].ipBlock.except[0]: "10.0.0.0/8" is not a part of 10.0.0.0/8',
  ],
  [
    "a port of 0",
    port({ port: 0 }),
    "NetworkPolicy x/web: spec.ingress[0].ports[0].port: 0 is not a whole number from 1 to 65535",
  ],
  [
    "a port's name with capitals",
    port({ port: "Web" }),
    'NetworkPolicy x/web: spec.ingress[0].ports[0].port: "Web" is not a port: a number from 1 to 65535, or a name of at most 15 lower-case letters, digits and -',
  ],
  [
    "a protocol that is none",
    port({ port: 80, protocol: "ICMP" }),
    'NetworkPolicy x/web: spec.ingress[0].ports[0].protocol: "ICMP" is not one of "TCP", "UDP", "SCTP"',
  ],
  [
    "a range that ends before it begins",
    port({ port: 80, endPort: 79 }),
    "NetworkPolicy x/web: spec.ingress[0].ports[0].endPort: 79 is not a whole number from 80 to 65535",
  ],
  [
    "a range from a name",
    port({ port: "web", endPort: 90 }),
    "NetworkPolicy x/web: spec.ingress[0].ports[0].endPort: 90 is not absent, as a port with a name begins no range",
  ],
  [
    "a range from nowhere",
    port({ endPort: 90 }),
    "NetworkPolicy x/web: spec.ingress[0].ports[0].endPort: 90 is not absent where there is no port that the range begins with",
  ],
  [
    "a tier that is none",
    cluster({ tier: "Default" }),
    'ClusterNetworkPolicy all: spec.tier: "Default" is not one of "Admin", "Baseline"',
  ],
  [
    "a priority too high",
    cluster({ priority: 1_001 }),
    "ClusterNetworkPolicy all: spec.priority: 1001 is not a whole number from 0 to 1000",
  ],
  [
    "no subject",
    cluster({ subject: {} }),
    "ClusterNetworkPolicy all: spec.subject: none of namespaces, pods is given; it must be exactly one",
  ],
  [
    "two subjects",
    cluster({ subject: { namespaces: {}, pods: { podSelector: {} } } }),
    "ClusterNetworkPolicy all: spec.subject: more than one of namespaces, pods is given; it must be exactly one",
  ],
  [
    "pods of which nothing is said",
    cluster({ subject: { pods: { namespaceSelector: {} } } }),
    "ClusterNetworkPolicy all: spec.subject.pods.podSelector: is missing; it must be a selector, {} for all pods",
  ],
  [
    "an action that is none",
    rule({ action: "Allow" }),
    'ClusterNetworkPolicy all: spec.egress[0].action: "Allow" is not one of "Accept", "Deny", "Pass"',
  ],
  ["nobody", rule({ to: [] }), "ClusterNetworkPolicy all: spec.egress[0].to: [] is not a list of at least one"],
  [
    "networks that send",
    cluster({ ingress: [{ action: "Deny", from: [{ networks: ["10.0.0.0/8"] }] }] }),
    "ClusterNetworkPolicy all: spec.ingress[0].from[0].networks: there is no such field",
  ],
  [
    "named ports of networks",
    rule({ protocols: [{ destinationNamedPort: "web" }] }),
    'ClusterNetworkPolicy all: spec.egress[0].protocols[0]: {"destinationNamedPort":"web"} is not a port\'s number: networks, which to names, have no named ports',
  ],
  [
    "a range of one",
    rule({ protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 80 } } } }] }),
    "ClusterNetworkPolicy all: spec.egress[0].protocols[0].tcp.destinationPort.range.end: 80 is not a whole number from 81 to 65535",
  ],
  [
    "more rules than there may be",
    cluster({ egress: Array.from({ length: 26 }, () => ({})) }),
    "ClusterNetworkPolicy all: spec.egress: [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}] is not a list of at most 25",
  ],
  [
    "a pod's address that is none",
    { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, status: { podIP: "10.0.0" } },
    'status.podIP: "10.0.0" is not an IP address such as "10.1.0.5" or "fd00::5"',
  ],
];

test.each(REFUSED)("%s is refused", (_name, object, message) => expect(() => readManifest(object)).toThrow(message));
test("there are mistakes", () => expect(REFUSED.length).toBeGreaterThan(20));

test("where nothing is said of types, egress counts where it has rules", () => {
  const affected = (spec: object) =>
    readManifest(network(spec)).flatMap((o) => (o.kind === "Policy" ? Object.keys(o.value.rules) : []));
  expect(affected({})).toEqual(["ingress"]);
  expect(affected({ egress: [] })).toEqual(["ingress"]);
  expect(affected({ egress: [{}] })).toEqual(["ingress", "egress"]);
  expect(affected({ policyTypes: ["Egress"], ingress: [{}] })).toEqual(["egress"]);
});

test.each<[name: string, block: object, cidr: string, ...except: string[]]>([
  ["host bits", { cidr: "10.9.9.9/8", except: ["10.1.2.3/16"] }, "10.9.9.9/8", "10.1.2.3/16"],
  ["leading zeros", { cidr: "010.001.0.0/08", except: ["10.002.0.0/016"] }, "10.1.0.0/8", "10.2.0.0/16"],
  ["IPv4 within IPv6", { cidr: "::ffff:10.0.0.0/104", except: ["::ffff:10.1.0.0/112"] }, "10.0.0.0/8", "10.1.0.0/16"],
  ["an exception within IPv6", { cidr: "10.0.0.0/8", except: ["::ffff:a00:0/104"] }, "10.0.0.0/8", "10.0.0.0/8"],
  ["both and zeros", { cidr: "::FFFF:010.0.0.0/0104" }, "10.0.0.0/8"],
  ["more than IPv4", { cidr: "::ffff:10.0.0.0/95" }, "::ffff:a00:0/95"],
  ["IPv6 next to it", { cidr: "::fffe:10.0.0.0/104" }, "::fffe:a00:0/104"],
])("a block with %s is what an API server takes it for", (_name, ipBlock, cidr, ...except) => {
  const [read] = readManifest(from({ ipBlock }));
  expect(read).toMatchObject({
    value: { rules: { ingress: [{ peers: [{ kind: "block", block: { cidr, except } }] }] } },
  });
});

test.each([
  ["names of domains", { domainNames: ["example.com"] }, "peers by domainNames are not supported"],
  ["nodes", { nodes: {} }, "peers by nodes are not supported"],
  ["what an older definition knows nothing of", {}, "a peer is of a kind that is not known"],
])("a rule with %s is closed, whatever else it says, and told of", (_name, peer, why) => {
  const protocols = [{ tcp: { destinationPort: { number: 80 } } }];
  const to = [{ namespaces: {} }, peer];
  const [read] = readManifest(
    cluster({ egress: ["Accept", "Deny", "Pass"].map((action) => ({ name: "out", action, to, protocols })) }),
  );
  const named = (i: number) => `egress[${i}] out`;
  expect(read?.value).toMatchObject({
    closed: [
      `${named(0)} accepts nothing: ${why}`,
      `${named(1)} denies everything: ${why}`,
      `${named(2)} denies everything: ${why}`,
    ],
  });
  expect(read?.kind === "Policy" && read.value.rules.egress).toEqual([
    { name: named(0), action: "accept", peers: [] },
    { name: named(1), action: "deny" },
    { name: named(2), action: "deny" },
  ]);
});

test("a rule's name may have 100 characters, however many bytes they are, or none", () => {
  const named = (name: string) =>
    readManifest(rule({ name })).flatMap((o) => (o.kind === "Policy" ? o.value.rules.egress?.map((r) => r.name) : []));
  expect(named("")).toEqual(["egress[0]"]);
  expect(named("\u{1f512}".repeat(100))).toEqual([`egress[0] ${"\u{1f512}".repeat(100)}`]);
  expect(() => named("a".repeat(101))).toThrow("a name of at most 100 characters");
});

test("a list is its items, of the list's kind unless they say another; other kinds are passed over", () => {
  const items = [{ metadata: { name: "a" } }, { metadata: { name: "b" } }];
  expect(readManifest({ apiVersion: "v1", kind: "NamespaceList", items })).toEqual([
    { kind: "Namespace", value: { name: "a", labels: { "kubernetes.io/metadata.name": "a" } } },
    { kind: "Namespace", value: { name: "b", labels: { "kubernetes.io/metadata.name": "b" } } },
  ]);
  expect(readManifest({ apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "Secret" }] })).toEqual([]);
});

test("a pod has its containers' named ports and its addresses until it is over; one on the node's network is the node", () => {
  const pod = (spec: object, status: object) =>
    readManifest({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace: "x", name: "a", labels: { app: "b" } },
      spec,
      status,
    });
  const spec = { containers: [{ ports: [{ containerPort: 80, name: "web" }, { containerPort: 81 }] }] };
  const status = { podIP: "10.1.0.5", podIPs: [{ ip: "10.1.0.5" }, { ip: "FD00::5" }] };
  const value = {
    namespace: "x",
    name: "a",
    labels: { app: "b" },
    ports: [{ name: "web", protocol: "tcp", port: 80 }],
    addresses: ["10.1.0.5", "fd00::5"],
  };
  expect(pod(spec, status)).toEqual([{ kind: "Pod", value }]);
  expect(pod(spec, { ...status, phase: "Succeeded" })).toEqual([{ kind: "Pod", value: { ...value, addresses: [] } }]);
  expect(pod({ ...spec, hostNetwork: true }, status)).toEqual([]);
});

test.each<[name: string, more: object, isUnready: true | undefined]>([
  ["of which nobody tells", {}, undefined],
  ["that is ready", { status: { conditions: [{ type: "Ready", status: "True" }] } }, undefined],
  ["without that condition", { status: { conditions: [{ type: "Initialized", status: "False" }] } }, undefined],
  ["that is not ready", { status: { conditions: [{ type: "Ready", status: "False" }] } }, true],
  ["whose node is silent", { status: { conditions: [{ type: "Ready", status: "Unknown" }] } }, true],
  ["that is going", { metadata: { name: "a", deletionTimestamp: "2026-01-02T03:04:05Z" } }, true],
])("a pod %s", (_name, more, isUnready) => {
  const [read] = readManifest({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, ...more });
  expect(read).toEqual({
    kind: "Pod",
    value: { namespace: "default", name: "a", labels: {}, ports: [], addresses: [], ...(isUnready && { isUnready }) },
  });
});
