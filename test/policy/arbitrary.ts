/** Small clusters at random, as manifests: few labels, ports and prefixes, so that rules meet each other often. */
import { fc } from "../support/property.ts";

const KEYS = ["app", "tier"];
const VALUES = ["a", "b", "c"];
const NAMESPACES = ["x", "y", "z"];
const PORTS = [80, 81, 443, 8_000, 8_500];
const NAMES = ["web", "db"];
const PROTOCOLS = ["TCP", "UDP", "SCTP"];
export const ADDRESSES_OUTSIDE = ["10.9.0.1", "10.9.1.1", "172.16.0.1", "fd00:9::1", "2001:db8::1"];

const labels = fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES), { maxKeys: 2 });

const expression = fc.oneof(
  fc.record({
    key: fc.constantFrom(...KEYS),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ key: fc.constantFrom(...KEYS), operator: fc.constantFrom("Exists", "DoesNotExist") }),
);

const selector = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: labels }),
  fc.record({ matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) }, { requiredKeys: [] }),
);
const namespaceSelector = fc.oneof(
  selector,
  fc.constantFrom(...NAMESPACES).map((name) => ({ matchLabels: { "kubernetes.io/metadata.name": name } })),
);

const block = fc.constantFrom(
  { cidr: "10.0.0.0/8" },
  { cidr: "10.0.0.0/8", except: ["10.9.0.0/16"] },
  { cidr: "10.9.0.0/16", except: ["10.9.1.0/24", "10.9.1.0/25"] },
  { cidr: "0.0.0.0/0", except: ["10.1.0.0/24"] },
  { cidr: "10.1.0.2/31" },
  { cidr: "::/0", except: ["fd00:1::/64"] },
  { cidr: "fd00::/16" },
);

const networkPeer = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector }),
  fc.record({ podSelector: selector, namespaceSelector }),
  fc.record({ ipBlock: block }),
);

const networkPort = fc.oneof(
  fc.record({ port: fc.constantFrom(...PORTS), protocol: fc.constantFrom(...PROTOCOLS) }, { requiredKeys: ["port"] }),
  fc.record({ port: fc.constantFrom(80, 8_000), endPort: fc.constantFrom(8_000, 8_100, 9_000) }),
  fc.record({ port: fc.constantFrom(...NAMES), protocol: fc.constantFrom(...PROTOCOLS) }, { requiredKeys: ["port"] }),
  fc.record({ protocol: fc.constantFrom(...PROTOCOLS) }),
);

const networkRule = (side: string) =>
  fc.record(
    { [side]: fc.array(networkPeer, { maxLength: 2 }), ports: fc.array(networkPort, { maxLength: 2 }) },
    { requiredKeys: [] },
  );

const networkPolicy = fc
  .record(
    {
      namespace: fc.constantFrom(...NAMESPACES),
      podSelector: selector,
      policyTypes: fc.constantFrom(["Ingress"], ["Egress"], ["Ingress", "Egress"], []),
      ingress: fc.array(networkRule("from"), { maxLength: 2 }),
      egress: fc.array(networkRule("to"), { maxLength: 2 }),
    },
    { requiredKeys: ["namespace", "podSelector"] },
  )
  .map(({ namespace, ...spec }) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name: "" },
    spec,
  }));

const who = fc.oneof(
  fc.record({ namespaces: namespaceSelector }),
  fc.record({ pods: fc.record({ namespaceSelector, podSelector: selector }) }),
);
/** Of a kind that is not supported, or that the cluster's definition lacks. */
const nobodyKnows = fc.constantFrom({}, { nodes: {} }, { domainNames: ["example.com"] });
const clusterProtocol = fc.oneof(
  fc
    .tuple(fc.constantFrom("tcp", "udp", "sctp"), fc.constantFrom(...PORTS))
    .map(([protocol, number]) => ({ [protocol]: { destinationPort: { number } } })),
  fc.constant({ tcp: { destinationPort: { range: { start: 81, end: 8_400 } } } }),
);
const namedProtocol = fc.constantFrom(...NAMES).map((name) => ({ destinationNamedPort: name }));
const action = fc.constantFrom("Accept", "Deny", "Pass");
const clusterIngress = fc.record(
  {
    action,
    from: fc.array(who, { minLength: 1, maxLength: 2 }),
    protocols: fc.array(fc.oneof(clusterProtocol, namedProtocol), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["action", "from"] },
);
const clusterEgress = fc.oneof(
  fc.record(
    {
      action,
      to: fc.array(fc.oneof({ weight: 7, arbitrary: who }, { weight: 1, arbitrary: nobodyKnows }), {
        minLength: 1,
        maxLength: 2,
      }),
      protocols: fc.array(fc.oneof(clusterProtocol, namedProtocol), { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ["action", "to"] },
  ),
  fc.record(
    {
      action,
      to: fc.constantFrom([{ networks: ["10.0.0.0/8", "fd00::/8"] }], [{ networks: ["0.0.0.0/0"] }]),
      protocols: fc.array(clusterProtocol, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ["action", "to"] },
  ),
);
const clusterPolicy = fc
  .record(
    {
      tier: fc.constantFrom("Admin", "Baseline"),
      subject: who,
      ingress: fc.array(clusterIngress, { maxLength: 2 }),
      egress: fc.array(clusterEgress, { maxLength: 2 }),
    },
    { requiredKeys: ["tier", "subject"] },
  )
  .map((spec) => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: "" },
    // Which of two of one priority comes first is nobody's promise: each has its own.
    spec: { ...spec, priority: 0 },
  }));

export interface RawPolicy {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly spec: Record<string, unknown>;
}

/** With names and priorities by their place. */
export const policies: fc.Arbitrary<RawPolicy[]> = fc
  .array(fc.oneof(networkPolicy, clusterPolicy), { maxLength: 5 })
  .map((all) =>
    all.map((policy, i) => ({
      ...policy,
      metadata: { ...policy.metadata, name: `p${i}` },
      spec: policy.kind === "ClusterNetworkPolicy" ? { ...policy.spec, priority: (i * 7) % 5 } : policy.spec,
    })),
  );

export interface RawPod {
  readonly kind: "Pod";
  readonly metadata: { readonly namespace: string; readonly name: string; readonly labels: Record<string, string> };
  readonly spec: { readonly containers: readonly [{ readonly ports: readonly RawPort[] }] };
  readonly status: { readonly podIPs: readonly [{ readonly ip: string }, { readonly ip: string }] };
}
export interface RawPort {
  readonly name: string;
  readonly containerPort: number;
  readonly protocol: string;
}

const pod = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  labels,
  ports: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      containerPort: fc.constantFrom(...PORTS),
      protocol: fc.constantFrom("TCP", "UDP"),
    }),
    // Of several containers, which may give one name to several ports.
    { selector: (port) => JSON.stringify(port), maxLength: 3 },
  ),
});

/** Named and addressed by their place. */
export const pods: fc.Arbitrary<RawPod[]> = fc.array(pod, { minLength: 2, maxLength: 5 }).map((all) =>
  all.map(({ namespace, labels, ports }, i) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name: `pod${i}`, labels },
    spec: { containers: [{ ports }] },
    status: { podIPs: [{ ip: `10.1.0.${i + 1}` }, { ip: `fd00:1::${i + 1}` }] },
  })),
);

export interface RawNamespace {
  readonly kind: "Namespace";
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
}

export const namespaces: fc.Arbitrary<RawNamespace[]> = fc.tuple(labels, labels, labels).map((all) =>
  all.map((of, i) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACES[i] ?? "", labels: { ...of, "kubernetes.io/metadata.name": NAMESPACES[i] ?? "" } },
  })),
);

export const packets: readonly { readonly protocol: string; readonly port: number }[] = [
  ...PROTOCOLS.flatMap((protocol) => [...PORTS, 79, 8_101, 65_535].map((port) => ({ protocol, port }))),
  { protocol: "OTHER", port: 0 },
];
