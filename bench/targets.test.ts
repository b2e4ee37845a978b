import { expect, test } from "@jest/globals";
import type { Measured } from "./measured.ts";
import { SAMPLE_RUN, summed } from "./sample-run.ts";
import { verdicts } from "./targets.ts";

test("each figure from the medians that it speaks of", () => {
  expect(verdicts(SAMPLE_RUN).map(({ what, value, holds }) => [what, value, holds])).toEqual([
    ["ADD: selvedge full / chain bridge (IPv4)", 0.1, true],
    ["ADD: selvedge full / chain dual", 0.08, true],
    ["ADD: selvedge full / ptp bare", 0.8, true],
    ["DEL: selvedge full / chain bridge (IPv4)", 0.03, true],
    ["DEL: selvedge full / chain dual", 0.02, true],
    ["DEL: selvedge full / ptp bare", 0.3, true],
    ["ADD: selvedge planes / selvedge plain", 1.25, true],
    ["ADD: selvedge planes / ptp planes", 0.25, true],
    ["ADD: selvedge macvlan / macvlan bare", 0.8, true],
    ["ADD: at most pods / at none", 1, true],
    ["ADD: 1,000 names with reservations / none", 1, true],
    ["daemon's share of ADD, selvedge full", 1.5, true],
    ["kernel work: selvedge dual / raw messages", 1.2, true],
    ["kernel work: selvedge full / raw messages", 1.2, true],
    ["ADDs a second, 32 at once: selvedge full / chain bridge", 20, true],
    ["RSS of the daemon with most attachments", 110, true],
  ]);
});

const missed: [what: string, change: Partial<Measured>][] = [
  [
    "RSS of the daemon with most attachments",
    { memory: { ...SAMPLE_RUN.memory, full: { rssMib: 130.1, pssMib: 100, peakMib: 100 } } },
  ],
  [
    "ADDs a second, 32 at once: selvedge full / chain bridge",
    { storms: SAMPLE_RUN.storms.map((storm) => ({ ...storm, addsPerSecond: 10 })) },
  ],
  [
    "ADD: at most pods / at none",
    { growth: SAMPLE_RUN.growth.map((row, i) => ({ ...row, add: summed(i === 0 ? 8 : 9.3) })) },
  ],
];

test.each(missed)("missed: %s", (what, change) => {
  const failed = verdicts({ ...SAMPLE_RUN, ...change }).filter(({ holds }) => !holds);
  expect(failed.map((verdict) => verdict.what)).toEqual([what]);
});

test("what not every kernel has is judged where it was measured", () => {
  const both = ["selvedge ipvlan", "ipvlan bare"] as const;
  const [of] = SAMPLE_RUN.alone;
  if (of === undefined) throw new Error("the sample has no subjects");
  const alone = [...SAMPLE_RUN.alone, ...both.map((subject) => ({ ...of, subject }))];
  expect(verdicts({ ...SAMPLE_RUN, alone }).map(({ what }) => what)).toContain("ADD: selvedge ipvlan / ipvlan bare");
});

test("of a run of some subjects only what they say is judged", () => {
  const alone = SAMPLE_RUN.alone.filter(({ subject }) => subject.endsWith("planes"));
  const memory = { ...SAMPLE_RUN.memory, attachments: 0 };
  const partial = { ...SAMPLE_RUN, alone, memory, inside: [], floor: [], storms: [], growth: [], reservations: [] };
  expect(verdicts(partial, true).map(({ what }) => what)).toEqual(["ADD: selvedge planes / ptp planes"]);
});

test("a figure that was not measured is an error, not a success", () => {
  expect(() => verdicts({ ...SAMPLE_RUN, alone: [] })).toThrow("nothing was measured: selvedge full");
});
