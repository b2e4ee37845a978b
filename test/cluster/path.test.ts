/** `selvedgectl path` by real daemons: every device between two pods of three nodes, and where packets get lost. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, run } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { answers } from "./ping.ts";
import { type Name, namespaceOf } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable, narrow } from "./wire.ts";

interface Path {
  readonly family: number;
  readonly from: { readonly address: string };
  readonly to: { readonly address: string };
  readonly verdict: string;
  readonly advice: readonly string[];
  readonly mtu: number;
  readonly hops: readonly {
    readonly node: string;
    readonly place: string;
    readonly kind: string;
    readonly device: string;
    readonly mtu: number;
    readonly checks: readonly string[];
    readonly missing: readonly string[];
  }[];
  readonly probes: readonly { readonly hopLimit: number; readonly bytes: number; readonly outcome: string }[];
}

const runs = needing(...RIG);
let rig: Rig;
let near: Pod;
let far: Pod;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4 });
  near = await rig.nodes.a.add("cl-pa-near");
  far = await rig.nodes.b.add("cl-pa-far");
  await eventually("an answer", async () => (await answers(near, far, 4)) || undefined);
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

/** selvedgectl exits with 5 where the path ails. */
async function pathFrom(on: Name, ...words: readonly string[]): Promise<Path> {
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const argv = [process.execPath, "cmd/ctl.ts", "--json", "path", ...words];
  const { stdout, stderr } = await run(inside(namespaceOf(on), argv), {
    environment: { ...environment, ...rig.nodes[on].daemon.environment },
  });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Path;
}

const places = ({ hops }: Path): string[] => hops.map(({ node, place, kind }) => `${node} ${place} ${kind}`.trim());

runs("every device from pod to pod, asked for on any node", async () => {
  for (const on of ["a", "b", "c"] as const) {
    const path = await pathFrom(on, near.id, far.id);
    expect(places(path)).toEqual([
      "a pod veth",
      "a node veth",
      "a way vxlan",
      "a underlay",
      "b way vxlan",
      "b node veth",
      "b pod veth",
    ]);
    expect(path).toMatchObject({ verdict: "reached", advice: [], mtu: 1_450 });
    expect(path.hops.flatMap(({ missing }) => missing)).toEqual([]);
    expect(path.hops[1]?.checks).toEqual(["inet selvedge guard"]);
    expect(path.probes.map(({ hopLimit, bytes, outcome }) => [hopLimit, bytes, outcome])).toEqual([
      [0, 84, "answered"],
      [0, 1_450, "answered"],
      [1, 84, "exceeded"],
      [2, 84, "exceeded"],
      [3, 84, "answered"],
    ]);
  }
});

runs("by IPv6, by addresses, and within a node", async () => {
  const bySix = {
    verdict: "reached",
    mtu: 1_450,
    family: 6,
    from: { address: near.address[6] },
    to: { address: far.address[6] },
  };
  expect(await pathFrom("a", near.address[6], far.address[6])).toMatchObject(bySix);
  expect(await pathFrom("c", near.id, far.address[6])).toMatchObject(bySix);
  expect(await pathFrom("a", near.id, far.id, "--family", "6")).toMatchObject(bySix);
  const neighbour = await rig.nodes.a.add("cl-pa-neighbour");
  const path = await pathFrom("c", near.id, neighbour.id);
  expect(places(path)).toEqual(["a pod veth", "a node veth", "a node veth", "a pod veth"]);
  expect(path.verdict).toBe("reached");
});

runs("the way to an address that no pod has ends where it comes in to the node whose block it is of", async () => {
  const free = far.address[4].replace(/\d+$/, (last) => String(Number(last) + 20));
  for (const on of ["a", "b"] as const) {
    const path = await pathFrom(on, near.id, free);
    expect(places(path)).toEqual(["a pod veth", "a node veth", "a way vxlan", "a underlay", "b way vxlan"]);
    expect(path.hops.flatMap(({ missing }) => missing)).toEqual([]);
    expect(path).toMatchObject({ to: { address: free }, family: 4 });
    expect(path.verdict).not.toBe("reached");
  }
});

runs("the way to an address is looked at though its node answers no questions", async () => {
  await rig.nodes.b.daemon.kill();
  try {
    const path = await pathFrom("a", near.id, far.address[4]);
    expect(path.verdict).toBe("reached");
    expect(places(path).slice(2)).toEqual(["a way vxlan", "a underlay", "b node none"]);
  } finally {
    await rig.nodes.b.daemon.start();
  }
});

runs("a narrow place, a cut", async () => {
  await eventually(
    "the daemon on b",
    async () => (await pathFrom("a", near.id, far.id)).verdict === "reached" || undefined,
    20_000,
  );
  await narrow("b", 1_400);
  try {
    const path = await pathFrom("a", near.id, far.id);
    expect(path.verdict).toBe("narrow");
    expect(path.advice[0]).toMatch(/^packets of 1450 bytes, which pods may send, do not arrive/);
  } finally {
    await narrow("b", 1_500);
  }
  await cable("b", false);
  try {
    const path = await pathFrom("a", near.id, far.address[4]);
    expect(["lost", "unreachable"]).toContain(path.verdict);
    expect(path.advice.join("\n")).toMatch(/vxlan|dead|nobody is there/);
  } finally {
    await cable("b", true);
  }
});
