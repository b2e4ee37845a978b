/** A node's address between the nodes changes while everything runs: the others follow, and pods go on. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import type { Pod } from "./node.ts";
import { answers } from "./ping.ts";
import { addressOf, type Family, NAMES } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { renumber } from "./wire.ts";

interface Row {
  readonly way: string;
  readonly encrypt?: boolean;
  readonly underlay: Family;
}
const WAYS: readonly Row[] = [
  { way: "auto", underlay: 4 },
  { way: "auto", underlay: 6 },
  { way: "wireguard", underlay: 4 },
  { way: "cross-subnet", encrypt: true, underlay: 4 },
];
/** Connections to etcd, too, have to be made anew. */
const SOON_MS = 30_000;
/** Nobody looks by himself meanwhile. */
const SELDOM = { reconcile: { everySeconds: 3_600 } };

const titled = WAYS.map(
  (row) => [`${row.way}${row.encrypt ? ", encrypted," : ""} over IPv${row.underlay}`, row] as const,
);
test("there are ways", () => expect(WAYS.length).toBeGreaterThan(0));

describe.each(titled)("%s", (_title, { way, encrypt = false, underlay }) => {
  const isSecret = way === "wireguard" || encrypt;
  const runs = needing(...RIG, ...(isSecret ? [{ file: PROGRAM }] : []));
  let rig: Rig;
  let pods: Pod[] = [];
  beforeAll(async () => {
    if (runs === test.skip) return;
    const wireguard = isSecret ? { wireguard: { program: PROGRAM } } : {};
    rig = await makeRig({ underlay, cluster: { way, encrypt, ...wireguard }, config: SELDOM });
    pods = await Promise.all(NAMES.map((name) => rig.nodes[name].add(`cl-n-${name}`)));
  }, 120_000);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  });

  const pairs = () => pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => [from, to] as const));
  const allReachAll = async () => {
    const reached = await Promise.all(
      pairs().flatMap(([from, to]) => ([4, 6] as const).map((family) => answers(from, to, family))),
    );
    return reached.every(Boolean) || undefined;
  };

  runs.each(["a", "b"] as const)(
    "%s has another address",
    async (name) => {
      await eventually("all reach all", allReachAll);
      const address = `${addressOf(name, underlay)}0`;
      await renumber(name, underlay, address);
      const told = async () => {
        const { nodes } = (await rig.nodes.c.ctl("nodes")) as { nodes: { name: string; addresses: string[] }[] };
        return nodes.find((node) => node.name === name)?.addresses.join() === address || undefined;
      };
      await eventually("the others are told", told, SOON_MS);
      await eventually("all reach all again", allReachAll, SOON_MS);
    },
    2 * SOON_MS + 30_000,
  );
});
