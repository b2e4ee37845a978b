/** What the published rows have few of, against the real kernel: both families, addresses outside, long ranges, tiers, audit. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LIVE } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { makeStage, type Stage } from "./stage.ts";

const runs = needing(...LIVE, { program: "python3" });
const POD = "pe-pod";
const OTHER = "pe-other";
let stage: Stage;
/** IPv4 and IPv6 of each. */
let pod: string[];
let other: string[];
let outside: string[];

beforeAll(async () => {
  if (runs === test.skip) return;
  stage = await makeStage("pe");
  await stage.live.pods(POD, OTHER);
  pod = await stage.add(POD, "x");
  other = await stage.add(OTHER, "y");
  outside = [stage.live.outside.ip4, stage.live.outside.ip6];
  for (const namespace of [POD, OTHER, stage.live.outside.namespace]) await stage.peers.serve(namespace);
});
afterAll(async () => stage?.[Symbol.asyncDispose](), 60_000);

const network = (spec: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "x", name: "only" },
  spec: { podSelector: {}, ...spec },
});
const cluster = (spec: object) => ({
  apiVersion: "policy.networking.k8s.io/v1alpha2",
  kind: "ClusterNetworkPolicy",
  metadata: { name: "all" },
  spec: { tier: "Admin", priority: 5, subject: { namespaces: {} }, ...spec },
});

/** The ports 80 and 81 of each family. */
type Reached = readonly boolean[];
interface Seen {
  readonly toOther: Reached;
  readonly toOutside: Reached;
  readonly fromOther: Reached;
}

/** What the pod reaches: the other pod and outside; and whether the other reaches it. */
async function seen(wanted: Seen, protocol = "tcp"): Promise<Seen> {
  const probe = (addresses: readonly string[], expected: Reached, from = POD) =>
    Promise.all(
      addresses
        .flatMap((address) => [80, 81].map((port) => [address, port] as const))
        .map(([address, port], i) => stage.peers.of(from).reaches(protocol, address, port, expected[i])),
    );
  const [toOther, toOutside, fromOther] = await Promise.all([
    probe(other, wanted.toOther),
    probe(outside, wanted.toOutside),
    probe(pod, wanted.fromOther, OTHER),
  ]);
  return { toOther, toOutside, fromOther };
}
const ALL = [true, true, true, true];
const NONE = [false, false, false, false];
const ON_81 = [false, true, false, true];
const ON_IPV4 = [true, true, false, false];
const EVERYTHING: Seen = { toOther: ALL, toOutside: ALL, fromOther: ALL };
const NOTHING: Seen = { toOther: NONE, toOutside: NONE, fromOther: NONE };

const ROWS: [name: string, policies: object[], seen: Seen][] = [
  ["without policies", [], EVERYTHING],
  [
    "a block with an exception, and a long range of ports",
    [
      network({
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              { ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.128/25"] } },
              { ipBlock: { cidr: "2001:db8::/32" } },
            ],
            ports: [{ port: 81, endPort: 500 }],
          },
        ],
      }),
    ],
    { toOther: NONE, toOutside: ON_81, fromOther: ALL },
  ],
  [
    "an exception that the address is in",
    [
      network({
        policyTypes: ["Egress"],
        egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["192.0.2.0/25"] } }] }],
      }),
    ],
    { toOther: ON_IPV4, toOutside: NONE, fromOther: ALL },
  ],
  [
    "everybody of one namespace comes in, and nobody else",
    [
      network({
        ingress: [{ from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "y" } } }] }],
      }),
    ],
    { toOther: ALL, toOutside: ALL, fromOther: ALL },
  ],
  [
    "the administrator denies addresses, whatever the namespace accepts",
    [
      network({ policyTypes: ["Egress"], egress: [{}] }),
      cluster({ egress: [{ action: "Deny", to: [{ networks: ["192.0.2.0/24", "2001:db8::/32"] }] }] }),
    ],
    { toOther: ALL, toOutside: NONE, fromOther: ALL },
  ],
  [
    "accepts one port before denying all, and passes to the namespace's own in between",
    [
      network({ policyTypes: ["Ingress"], ingress: [] }),
      cluster({
        ingress: [
          { action: "Accept", from: [{ namespaces: {} }], protocols: [{ tcp: { destinationPort: { number: 81 } } }] },
          { action: "Pass", from: [{ namespaces: { matchLabels: { "kubernetes.io/metadata.name": "y" } } }] },
          { action: "Deny", from: [{ namespaces: {} }] },
        ],
      }),
    ],
    { toOther: ON_81, toOutside: ALL, fromOther: ON_81 },
  ],
  [
    "peers that nobody knows: what accepts them accepts nothing, what passes them on denies everything",
    [
      network({ policyTypes: ["Egress"], egress: [{}] }),
      cluster({
        egress: [
          { action: "Accept", to: [{ nodes: {} }] },
          { action: "Pass", to: [{ domainNames: ["example.com"] }] },
        ],
      }),
    ],
    NOTHING,
  ],
  [
    "a baseline denies where no namespace says anything",
    [cluster({ tier: "Baseline", egress: [{ action: "Deny", to: [{ networks: ["::/0"] }] }] })],
    { toOther: ON_IPV4, toOutside: ON_IPV4, fromOther: ON_IPV4 },
  ],
];

runs.each(ROWS)("%s", async (_name, policies, wanted) => {
  await stage.show(...policies);
  expect(await seen(wanted)).toEqual(wanted);
});

runs("what is traced between pods of both families is told of each where it differs", async () => {
  await stage.show(network({ policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }] }));
  expect(await stage.ctl("policy", "trace", `x/${POD}`, `y/${OTHER}`, "80")).toMatchObject({
    verdict: "accept",
    sides: [{ direction: "egress", rule: "egress[0]" }, { direction: "ingress" }],
    notes: [`from ${pod[1]} to ${other[1]}: deny: NetworkPolicy x/only accepts only other egress traffic`],
  });
});

runs("other protocols than those of a rule are not its business", async () => {
  await stage.show(network({ policyTypes: ["Egress"], egress: [{ ports: [{ protocol: "UDP" }] }] }));
  expect((await seen(EVERYTHING, "udp")).toOther).toEqual(ALL);
  expect((await seen(NOTHING, "tcp")).toOther).toEqual(NONE);
  await expect(stage.live.within(POD, "ping", "-c1", "-W1", other[0] ?? "")).rejects.toThrow();
  await stage.show(network({ policyTypes: ["Egress"], egress: [{}] }));
  await stage.live.within(POD, "ping", "-c1", "-W9", other[0] ?? "");
});

runs("under audit what is denied is counted and goes on", async () => {
  const [one, two] = ["pa-one", "pa-two"];
  await using audited = await makeStage("pa", { policies: { audit: true } });
  await audited.live.pods(one, two);
  await audited.show(network({ policyTypes: ["Egress"] }));
  await audited.add(one, "x");
  const [to = ""] = await audited.add(two, "y");
  await audited.peers.serve(one);
  await audited.peers.serve(two);
  expect(await audited.peers.of(one).reaches("tcp", to, 80)).toBe(true);
  expect(await audited.ctl("policy", "verdicts", "--denied")).toMatchObject({
    audit: true,
    flows: [{ from: `x/${one}`, to: `y/${two}`, protocol: "tcp", port: 80, verdict: "deny", packets: 1 }],
  });
  expect(await audited.ctl("policy", "trace", `x/${one}`, `y/${two}`, "80")).toMatchObject({
    verdict: "deny",
    audit: true,
  });
});
