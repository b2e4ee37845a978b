import { expect, test } from "@jest/globals";
import { DIALECTS } from "./dialect.ts";
import type { Line } from "./path.ts";
import { ownership } from "./piece.ts";
import { renamed, renamedSteps } from "./renamed.ts";

const lines = (...all: string[]): Line[] => all as Line[];
const line = (text: string): Line => text as Line;
const BACKEND = "load-balancing reverse-proxy backend selvedge-web";
const NOW = "load-balancing haproxy backend selvedge-web";
const ROUTE = {
  at: line("protocols static route 10.66.0.0/16"),
  lines: lines("protocols static route 10.66.0.0/16 next-hop 192.0.2.1"),
};
const owned = (...at: string[]) =>
  ownership([
    ROUTE,
    ...at.map((each) => ({
      at: line(each),
      within: line(each.split(" backend")[0] ?? ""),
      lines: lines(`${each} mode tcp`),
    })),
  ]);

test("what an upgrade has moved stays ours, and all else is as it was", () => {
  expect([...renamed(owned(BACKEND), DIALECTS.rolling).values()]).toEqual([
    ROUTE,
    { at: NOW, within: "load-balancing haproxy", lines: [`${NOW} mode tcp`] },
  ]);
  const back = renamed(owned(NOW), DIALECTS["1.4"]);
  expect([...back.keys()]).toEqual([ROUTE.at, BACKEND]);
});

test("what is remembered by both names is one piece", () =>
  expect([...renamed(owned(NOW, BACKEND), DIALECTS.rolling).values()]).toEqual([
    ROUTE,
    { at: NOW, within: "load-balancing haproxy", lines: [`${NOW} mode tcp`] },
  ]));

test("without anything of another version it is the same", () => {
  const now = owned(NOW);
  expect(renamed(now, DIALECTS.rolling)).toBe(now);
  const like = owned("load-balancing reverse-proxy-of-mine backend x");
  expect(renamed(like, DIALECTS.rolling)).toBe(like);
});

test("so are the steps of the history", () =>
  expect(
    renamedSteps(
      [
        { at: line(BACKEND), removed: lines(`${BACKEND} mode http`), added: lines(`${BACKEND} mode tcp`) },
        { at: ROUTE.at, removed: [], added: ROUTE.lines },
      ],
      DIALECTS.rolling,
    ),
  ).toEqual([
    { at: NOW, removed: [`${NOW} mode http`], added: [`${NOW} mode tcp`] },
    { at: ROUTE.at, removed: [], added: ROUTE.lines },
  ]));
