import { expect, test } from "@jest/globals";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { isOffPath, onPath, pathMtus } from "./path-mtu.ts";

const link = (name: string, mtu: number, mtuFrom?: LinkFact["mtuFrom"]): Fact => ({
  type: "link",
  at: "pod",
  name,
  kind: "veth",
  up: true,
  mtu,
  ...(mtuFrom === undefined ? {} : { mtuFrom }),
});
const record = (facts: readonly Fact[], more: Partial<AttachmentRecord> = {}) => sampleRecord({ facts, ...more });
const PATH = { of: "path", lessBytes: 0 } as const;

test("a node that is alone leaves its path whole; one of a cluster leaves what its tunnels leave", () => {
  const node = { pathMtu: 1_400 } as Parameters<typeof pathMtus>[0]["node"];
  expect(pathMtus({ node })).toEqual({ path: 1_400, segment: 1_400 });
  const cluster = { podMtu: () => 1_340, segmentMtu: () => 1_350 } as unknown as NonNullable<
    Parameters<typeof pathMtus>[0]["cluster"]
  >;
  expect(pathMtus({ node, cluster })).toEqual({ path: 1_340, segment: 1_350 });
});

test("links that follow the path do, the others and everything else stay", () => {
  const facts = [
    link("eth0", 1_450, PATH),
    link("seg", 1_450, { of: "segment", lessBytes: 0 }),
    link("own", 9_000),
    link("vx", 1_400, { of: "path", lessBytes: 50 }),
  ];
  const result = JSON.stringify({
    interfaces: [
      { name: "eth0", mtu: 1_450, sandbox: "/run/netns/c1" },
      { name: "own", mtu: 9_000 },
    ],
    ips: [],
  });
  const mtus = { path: 1_350, segment: 1_340 };
  const before = record(facts, { tenantFacts: { blue: [link("t0", 1_450, PATH)] }, result });
  expect(isOffPath(before, mtus)).toBe(true);
  const after = onPath(before, mtus);
  const mtuOf = (of: readonly Fact[] = []) => of.map((fact) => (fact.type === "link" ? fact.mtu : undefined));
  expect(mtuOf(after.facts)).toEqual([1_350, 1_340, 9_000, 1_300]);
  expect(mtuOf(after.tenantFacts?.blue)).toEqual([1_350]);
  expect(JSON.parse(after.result ?? "").interfaces).toEqual([
    { name: "eth0", mtu: 1_350, sandbox: "/run/netns/c1" },
    { name: "own", mtu: 9_000 },
  ]);
  expect(isOffPath(after, mtus)).toBe(false);
});

test("one that is coming or going is left alone", () => {
  const facts = [link("eth0", 1_450, PATH)];
  for (const phase of ["adding", "deleting"] as const)
    expect(isOffPath(record(facts, { phase }), { path: 1_350, segment: 1_350 })).toBe(false);
});
