/** Whatever the cluster and however the router is configured, VyOS takes every part of a change of several commits. */
import { expect, test } from "@jest/globals";
import { portions } from "#lib/daemon/edge/portions.ts";
import { change } from "#lib/edge/change.ts";
import { DIALECTS } from "#lib/edge/dialect.ts";
import { lineOf } from "#lib/edge/path.ts";
import { ownership, type Piece } from "#lib/edge/piece.ts";
import { render } from "#lib/edge/render/render.ts";
import { nodeAt, type Tree } from "#lib/edge/tree.ts";
import { commit } from "#lib/vyos/model.ts";
import { fc } from "../support/property.ts";
import { clusters, routers } from "./arbitrary.ts";

const names = (tree: Tree, ...at: string[]): string[] => [...(nodeAt(tree, at)?.keys() ?? [])];
const below = (tree: Tree, kinds: readonly string[]): string[][] =>
  kinds.reduce<string[][]>((all, kind) => all.flatMap((at) => namesOf(tree, at, kind)), [[]]);
/** `*` is any word. */
const namesOf = (tree: Tree, at: string[], kind: string): string[][] =>
  kind === "*" ? names(tree, ...at).map((name) => [...at, name]) : [[...at, kind]];

/** What refers to what, as VyOS looks for it (conf_mode/*.py, verify): a leaf's values, and where such a one is. */
const REFERENCES: readonly (readonly [leaf: string, to: string])[] = [
  ["firewall ipv4 forward filter rule * jump-target", "firewall ipv4 name"],
  ["firewall ipv6 forward filter rule * jump-target", "firewall ipv6 name"],
  ["qos interface * egress", "qos policy shaper"],
  ["vpn ipsec site-to-site peer * ike-group", "vpn ipsec ike-group"],
  ["vpn ipsec site-to-site peer * vti esp-group", "vpn ipsec esp-group"],
  ["vpn ipsec site-to-site peer * vti bind", "interfaces vti"],
  ["high-availability vrrp sync-group * member", "high-availability vrrp group"],
  ["load-balancing * service * backend", "load-balancing haproxy backend"],
  ...["source", "destination"].flatMap((side) =>
    (["ipv4", "ipv6"] as const).flatMap((family) =>
      ["address-group", "network-group"].map(
        (kind) =>
          [
            `firewall ${family} name * rule * ${side} group ${kind}`,
            `firewall group ${family === "ipv4" ? "" : "ipv6-"}${kind}`,
          ] as const,
      ),
    ),
  ),
];
const dangling = (tree: Tree): string[] => [
  ...REFERENCES.flatMap(([leaf, to]) => {
    const there = names(tree, ...to.split(" "));
    return below(tree, [...leaf.split(" "), "*"])
      .filter((at) => !there.includes(at.at(-1) ?? ""))
      .map((at) => `${at.join(" ")} is not there`);
  }),
  ...[
    ...names(tree, "vrf", "name").filter((name) => names(tree, "vrf", "name", name).length > 0),
    ...["vxlan", "tunnel"].flatMap((kind) =>
      below(tree, ["interfaces", kind, "*", "vrf", "*"]).map((at) => at.at(-1) ?? ""),
    ),
  ]
    .filter((name) => names(tree, "vrf", "name", name, "table").length === 0)
    .map((name) => `vrf ${name} has no table`),
];

const had = (pieces: readonly Piece[]) =>
  ownership(
    pieces.map(({ at, within, paths }) => ({
      at: lineOf(at),
      ...(within === undefined ? {} : { within: lineOf(within) }),
      lines: paths.map(lineOf),
    })),
  );

/** A request that has room for nothing: whatever may be alone is. */
test("each part of a change holds by itself", () => {
  let parted = 0;
  fc.assert(
    fc.property(routers, clusters, routers, clusters, (router, cluster, next, then) => {
      const [before, after] = [render(router, cluster, DIALECTS["1.4"]), render(next, then, DIALECTS["1.4"])];
      const sets = before.flatMap(({ paths }) => paths.map((path) => ({ op: "set", path }) as const));
      const first = commit(new Map(), sets);
      fc.pre(first.refusals.length === 0);
      const found = change(after, first.tree, had(before));
      const parts = portions(found, 0);
      const whole = commit(first.tree, [
        ...found.deletes.map((path) => ({ op: "delete", path }) as const),
        ...found.sets.map((path) => ({ op: "set", path }) as const),
      ]);
      fc.pre(whole.refusals.length === 0);
      const known = new Set([...dangling(first.tree), ...dangling(whole.tree)]);
      let { tree } = first;
      for (const [i, part] of parts.entries()) {
        const done = commit(tree, part);
        tree = done.tree;
        const wrong = [...done.refusals, ...dangling(tree).filter((each) => !known.has(each))];
        if (wrong.length > 0)
          throw new Error(`part ${i}: ${part.map(({ path }) => lineOf(path)).join(", ")}: ${wrong.join()}`);
      }
      parted += parts.length;
    }),
    { numRuns: 50 },
  );
  expect(parted).toBeGreaterThan(1_000);
});
