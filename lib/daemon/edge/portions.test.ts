import { expect, test } from "@jest/globals";
import { change } from "#lib/edge/change.ts";
import { type Line, lineOf, type Path, pathOf } from "#lib/edge/path.ts";
import { type Ownership, ownership, type Piece } from "#lib/edge/piece.ts";
import { grow, type Tree } from "#lib/edge/tree.ts";
import { portions } from "./portions.ts";

const path = (line: string): Path => pathOf(line as Line);
/** @param more of each line, so that a request is filled sooner */
const rule = (number: number, more: string): Piece => {
  const at = path(`nat source rule ${number}`);
  return {
    at,
    paths: ["description", "outbound-interface", "translation"].map((word) => [...at, word, more]),
  };
};
const rules = (more: string): Piece[] => Array.from({ length: 400 }, (_, i) => rule(5_000 + i, more.repeat(1_000)));
const TABLE: Piece = { at: path("vrf name BLUE table"), paths: [path("vrf name BLUE table 100")] };
const IN_VRF = "vrf name BLUE protocols static route 10.0.0.0/26";
const ROUTE: Piece = { at: path(IN_VRF), paths: [path(`${IN_VRF} next-hop 192.0.2.11`)] };

function has(pieces: readonly Piece[]): readonly [Tree, Ownership] {
  const tree: Tree = new Map();
  for (const { paths } of pieces) for (const each of paths) grow(tree, each);
  return [tree, ownership(pieces.map(({ at, paths }) => ({ at: lineOf(at), lines: paths.map(lineOf) })))];
}
/** Numbers of the parts with commands about a piece. */
const partsOf = (parts: ReturnType<typeof portions>, { at }: Piece): number[] =>
  parts.flatMap((part, i) => (part.some((command) => lineOf(command.path).startsWith(lineOf(at))) ? [i] : []));

test("what a request has room for is one, deletes first", () => {
  const [tree, owned] = has([ROUTE]);
  expect(portions(change([TABLE], tree, owned))).toEqual([
    [
      { op: "delete", path: path(IN_VRF) },
      { op: "set", path: path("vrf name BLUE table 100") },
    ],
  ]);
  expect(portions(change([TABLE], ...has([TABLE])))).toEqual([]);
});

test("no piece is torn apart, neither what goes of it from what comes instead", () => {
  const before = rules("a");
  const found = change(rules("b"), ...has(before));
  const parts = portions(found);
  expect(parts).toHaveLength(2);
  expect(parts.flat()).toHaveLength(found.deletes.length + found.sets.length);
  for (const each of before) expect(partsOf(parts, each)).toHaveLength(1);
  const size = (part: (typeof parts)[number]) => new URLSearchParams({ data: JSON.stringify(part) }).toString().length;
  for (const part of parts) expect(size(part)).toBeLessThan(1_048_576);
});

test("what others stand on is made before them and goes after them; what is new comes before anything goes", () => {
  const made = portions(change([ROUTE, ...rules("a"), TABLE], new Map(), new Map()));
  expect(made).toHaveLength(2);
  expect(made[0]?.[0]?.path).toEqual(TABLE.paths[0]);

  const all = portions(change(rules("a"), ...has([TABLE, ROUTE]))).flat();
  expect(all.slice(-2)).toEqual([
    { op: "delete", path: path(IN_VRF) },
    { op: "delete", path: path("vrf name BLUE table") },
  ]);
  expect(all.filter(({ op }) => op === "delete")).toHaveLength(2);
});

test("a service of a load balancer comes with its backend, and goes with it", () => {
  const balancer = (name: string): Piece[] => {
    const top = path("load-balancing haproxy");
    const [service, backend] = [
      [...top, "service", name],
      [...top, "backend", name],
    ];
    return [
      { at: backend, within: top, paths: [[...backend, "mode", "tcp"]] },
      { at: service, within: top, needs: [backend], paths: [[...service, "backend", name]] },
    ];
  };
  const all = [...balancer("one"), ...balancer("two")];
  const parts = portions(change([...all, TABLE], new Map(), new Map()), 1);
  expect(parts).toHaveLength(3);
  for (const each of all) expect(partsOf(parts, each)).toHaveLength(1);
  expect(partsOf(parts, all[0] as Piece)).toEqual(partsOf(parts, all[1] as Piece));
  const going = portions(change(balancer("one"), ...has([...all, TABLE])), 1);
  expect(going.map((part) => part.map(({ path: at }) => lineOf(at)))).toEqual([
    ["load-balancing haproxy backend two", "load-balancing haproxy service two"],
    ["vrf name BLUE table"],
  ]);
});

test("a piece larger than a request is one by itself", () => {
  const large = rule(1, "a".repeat(400_000));
  const parts = portions(change([TABLE, large, ROUTE], new Map(), new Map()));
  expect(parts.map((part) => part.length)).toEqual([1, 3, 1]);
});
