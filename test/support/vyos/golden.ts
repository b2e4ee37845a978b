/** What a router is told, line by line: a table of cases, and what holds for each of them. */
import { expect, test } from "@jest/globals";
import { DIALECTS, type Version } from "#lib/edge/dialect.ts";
import { lineOf } from "#lib/edge/path.ts";
import { overlapping } from "#lib/edge/piece.ts";
import { render } from "#lib/edge/render/render.ts";
import { VIEW } from "#lib/edge/render/sample-view.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { sampleRouter } from "#lib/edge/sample-router.ts";
import { stageOf } from "#lib/edge/stages.ts";
import { needing } from "../requirement.ts";
import { grammar, grammarFile } from "./grammar.ts";

export type Golden = readonly [name: string, spec: Partial<RouterSpec>, expected: readonly string[]];

export const piecesOf = (spec: Partial<RouterSpec>, version: Version = "1.4") =>
  render(sampleRouter(spec), VIEW, DIALECTS[version]);
export const linesOf = (spec: Partial<RouterSpec>, version?: Version): string[] =>
  piecesOf(spec, version).flatMap(({ paths }) => paths.map(lineOf));

export function goldens(cases: readonly Golden[]): void {
  test("the table has cases", () => expect(cases.length).toBeGreaterThan(0));

  test.each(cases)("%s", (_name, spec, expected) => expect(linesOf(spec)).toEqual(expected));

  needing({ file: grammarFile("1.4") }).each<Version>(["1.4", "rolling"])(
    "VyOS %s takes every one of them",
    (version) => {
      const { refusal } = grammar(version);
      const paths = cases.flatMap(([, spec]) => piecesOf(spec, version)).flatMap((piece) => piece.paths);
      expect(paths.flatMap((path) => refusal(path, "set") ?? [])).toEqual([]);
    },
  );

  test("in the order of the stages each piece comes after what it needs", () => {
    for (const [, spec] of cases) {
      const places = piecesOf(spec).toSorted((a, b) => stageOf(a.at) - stageOf(b.at));
      const order = places.map(({ at }) => lineOf(at));
      const early = places.flatMap(({ at, needs = [] }, i) =>
        needs.map(lineOf).flatMap((need) => (order.indexOf(need) > i ? [`${lineOf(at)} before ${need}`] : [])),
      );
      expect(early).toEqual([]);
    }
  });

  test("no piece lies in another", () => {
    for (const [, spec] of cases) {
      const pieces = piecesOf(spec);
      expect(overlapping(pieces)).toBeUndefined();
      for (const { at, paths } of pieces) for (const path of paths) expect(path.slice(0, at.length)).toEqual(at);
    }
  });
}
