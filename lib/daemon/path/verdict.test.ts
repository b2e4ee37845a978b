import { expect, test } from "@jest/globals";
import { PathHop, PathProbe } from "#proto/selvedge_pb.ts";
import { judged } from "./verdict.ts";

const HOPS = [
  PathHop.of({ node: "alpha", place: "pod", device: "eth0" }),
  PathHop.of({ node: "alpha", place: "way", device: "svx4", kind: "vxlan" }),
  PathHop.of({ node: "beta", place: "pod", device: "eth0" }),
];
const BROKEN = HOPS.with(1, PathHop.of({ ...HOPS[1], missing: ["+ route 10.66.0.64/26 dev svx4"] }));
const NO_WAY = HOPS.with(1, PathHop.of({ node: "alpha", place: "way", kind: "none", what: "beta is dead" }));
const probe = (hopLimit: number, outcome: string, by = ""): PathProbe =>
  PathProbe.of({ hopLimit, bytes: 84, outcome, by });
const LARGE = PathProbe.of({ bytes: 1_450, outcome: "too-large", by: "192.0.2.254" });

const CASES: readonly [
  what: string,
  hops: readonly PathHop[],
  probes: readonly PathProbe[],
  verdict: string,
  advice: readonly string[],
][] = [
  ["all well", HOPS, [probe(0, "answered"), probe(0, "answered"), probe(1, "exceeded", "10.66.0.1")], "reached", []],
  ["nobody probed", HOPS, [], "untested", []],
  [
    "reached, though something lacks",
    BROKEN,
    [probe(0, "answered")],
    "reached",
    ["alpha lacks something of svx4 (1): `selvedgectl reconcile` there restores it"],
  ],
  [
    "large packets do not fit",
    HOPS,
    [probe(0, "answered"), LARGE],
    "narrow",
    [
      "packets of 1450 bytes, which pods may send, do not arrive; 192.0.2.254 says it is too large: `selvedgectl doctor mtu` tells of each node",
    ],
  ],
  [
    "refused on the way",
    NO_WAY,
    [probe(0, "unreachable", "10.66.0.1")],
    "unreachable",
    ["10.66.0.1 says that nobody is there", "alpha: beta is dead"],
  ],
  ["no route in the pod", HOPS, [probe(0, "unreachable")], "unreachable", ["the pod itself has no route there"]],
  [
    "lost before the node",
    HOPS,
    [probe(0, "lost"), probe(1, "lost")],
    "lost",
    [
      "lost before alpha passed it on: is the pod's default route there, and what do its firewall and the chains above drop?",
    ],
  ],
  [
    "lost between the nodes",
    HOPS,
    [probe(0, "lost"), probe(1, "exceeded", "10.66.0.1"), probe(2, "lost")],
    "lost",
    [
      "lost after 10.66.0.1 on alpha: do packets of vxlan pass between the nodes? `selvedgectl peers`, `selvedgectl doctor mtu`",
    ],
  ],
  [
    "lost at the end",
    HOPS,
    [probe(0, "lost"), probe(1, "exceeded", "10.66.0.1"), probe(2, "exceeded", "10.66.0.65"), probe(3, "lost")],
    "lost",
    ["lost after 10.66.0.65 on beta: the last stretch, or the pod itself does not answer"],
  ],
];

test.each(CASES)("%s", (_what, hops, probes, verdict, advice) => {
  expect(judged(hops, probes)).toEqual({ verdict, advice });
});
