import { expect, test } from "@jest/globals";
import { address, family } from "#lib/address.ts";
import { type End, verdict } from "#lib/policy/decide.ts";
import { type Enforcement, enforcement } from "#lib/policy/enforcement.ts";
import { namespaceOf, readManifest } from "#lib/policy/manifest.ts";
import { type Namespace, type Pod, type Policy, type Protocol, podKey } from "#lib/policy/objects.ts";
import { identity } from "#lib/state/fact.ts";
import { fc } from "../support/property.ts";
import { ADDRESSES_OUTSIDE, namespaces, packets, pods, policies } from "./arbitrary.ts";
import { type Cluster, read } from "./reading.ts";
import { walker } from "./walk.ts";

const cluster: fc.Arbitrary<Cluster> = fc.record({ policies, pods, namespaces });

interface Parsed {
  readonly policies: readonly Policy[];
  readonly pods: readonly Pod[];
  readonly namespaces: ReadonlyMap<string, Namespace>;
}

function parse({ policies: p, pods: q, namespaces: n }: Cluster): Parsed {
  const read = [...n, ...q, ...p].flatMap((each) => readManifest(each));
  return {
    policies: read.flatMap((o) => (o.kind === "Policy" ? [o.value] : [])),
    pods: read.flatMap((o) => (o.kind === "Pod" ? [o.value] : [])),
    namespaces: new Map(read.flatMap((o) => (o.kind === "Namespace" ? [[o.value.name, o.value]] : []))),
  };
}

/** Every pair of ends of one family of which at least one is a pod, with every packet. */
function* traffic({ pods: all }: Parsed): Generator<{ from: End; to: End; protocol: string; port: number }> {
  const ends: End[] = [
    ...all.flatMap((pod) => pod.addresses.map((each) => ({ address: each, pod }))),
    ...ADDRESSES_OUTSIDE.map((each) => ({ address: address(each) })),
  ];
  for (const from of ends)
    for (const to of ends) {
      if (family(from.address) !== family(to.address) || from.pod === to.pod) continue;
      for (const packet of packets) yield { from, to, ...packet };
    }
}

const packetOf = ({ protocol, port }: { protocol: string; port: number }) => ({
  protocol: protocol.toLowerCase() as Protocol | "other",
  port,
});

function compile({ policies: p, pods: q, namespaces: n }: Parsed): Enforcement {
  const all = enforcement();
  all.setRules(p, n);
  for (const pod of q) {
    all.putPod(pod);
    all.hold(heldOf(pod));
  }
  return all;
}

const heldOf = ({ namespace, name, labels, addresses }: Pod) => ({
  key: podKey({ namespace, name }),
  namespace,
  name,
  labels,
  addresses,
});

test(
  "the product and a slow second reading of the specifications say the same",
  () =>
    fc.assert(
      fc.property(cluster, (raw) => {
        const parsed = parse(raw);
        const world = { policies: parsed.policies, namespaceLabels: (n: string) => labelsIn(parsed, n) };
        for (const { from, to, ...packet } of traffic(parsed)) {
          const have = verdict(world, from, to, packetOf(packet));
          const want = read(raw, { from: from.address, to: to.address, ...packet });
          const seen = { egress: have.egress?.verdict !== "deny", ingress: have.ingress?.verdict !== "deny" };
          if (seen.egress === want.egress && seen.ingress === want.ingress) continue;
          expect({ from, to, packet, ...seen }).toEqual({ from, to, packet, ...want });
        }
      }),
      { numRuns: 100 },
    ),
  120_000,
);

const labelsIn = ({ namespaces: all }: Parsed, name: string) => (all.get(name) ?? namespaceOf(name)).labels;

test(
  "a packet through the sets meets what the policies say of it",
  () =>
    fc.assert(
      fc.property(cluster, (raw) => {
        const parsed = parse(raw);
        agrees(parsed, compile(parsed));
      }),
      { numRuns: 100 },
    ),
  120_000,
);

function agrees(parsed: Parsed, compiled: Enforcement): void {
  const walk = walker(compiled);
  const world = { policies: parsed.policies, namespaceLabels: (n: string) => labelsIn(parsed, n) };
  for (const { from, to, ...packet } of traffic(parsed)) {
    const want = verdict(world, from, to, packetOf(packet));
    const have = walk({ from: from.address, to: to.address, ...packetOf(packet) });
    if (have.egress === (want.egress?.verdict !== "deny") && have.ingress === (want.ingress?.verdict !== "deny"))
      continue;
    expect({ from, to, packet, have }).toEqual({ from, to, packet, have: want });
  }
}

test(
  "changes one after another lead where a start from nothing leads",
  () =>
    fc.assert(
      fc.property(fc.array(cluster, { minLength: 2, maxLength: 5 }), fc.nat(), (states, seed) => {
        const one = enforcement();
        const standing = new Map<string, string>();
        let known = new Set<string>();
        let attached = new Set<string>();
        const settle = () => {
          const { add, remove } = one.take();
          for (const fact of remove) expect(standing.delete(identity(fact))).toBe(true);
          for (const fact of add) standing.set(identity(fact), String(fact.value));
        };
        for (const [i, raw] of states.entries()) {
          const parsed = parse(raw);
          const steps = [
            () => one.setRules(parsed.policies, parsed.namespaces),
            () => {
              const wanted = new Set(parsed.pods.map(podKey));
              for (const key of known) if (!wanted.has(key)) one.removePod(key);
              for (const pod of parsed.pods) one.putPod(pod);
              known = wanted;
            },
            () => {
              for (const key of attached) one.release(key);
              for (const pod of parsed.pods) one.hold(heldOf(pod));
              attached = new Set(parsed.pods.map(podKey));
            },
          ];
          const order = ORDERS[(seed + i) % ORDERS.length] ?? [0, 1, 2];
          for (const n of order) {
            steps[n]?.();
            settle();
          }
          agrees(parsed, one);
          const fresh = compile(parsed);
          expect(texts(one)).toEqual(texts(fresh));
          settle();
          expect([...standing].sort()).toEqual([...fresh.elements()].map((f) => [identity(f), String(f.value)]).sort());
        }
      }),
      { numRuns: 40 },
    ),
  120_000,
);

/** In which order rules, pods and attachments are told of. */
const ORDERS = [
  [0, 1, 2],
  [1, 2, 0],
  [2, 0, 1],
  [1, 0, 2],
] as const;

const texts = (of: Enforcement) => ({
  outside: of.outside().map(({ first, last, peers }) => `${first}-${last} ${peers}`),
  ranges: of
    .longRanges()
    .map(({ row, protocol, first, last }) => `${row} ${protocol} ${first}-${last}`)
    .sort(),
  elements: [...of.elements()].map((fact) => `${identity(fact)} : ${fact.value}`).sort(),
});
