import { expect, test } from "@jest/globals";
import { type Liveness, livenessOf } from "./liveness.ts";
import { probing } from "./probing.ts";

const verdicts: [heardOf: boolean, lostInARow: number, decides: boolean, Liveness][] = [
  [true, 0, false, "alive"],
  [true, 4, false, "alive"],
  [true, 5, false, "silent"],
  [true, 5, true, "dead"],
  [false, 4, false, "silent"],
  [false, 4, true, "silent"],
  [false, 5, false, "dead"],
  [false, 5, true, "dead"],
];
test.each(verdicts)("heard of: %p, lost: %p, probes decide: %p: %s", (heardOf, lostInARow, decides, verdict) =>
  expect(livenessOf({ heardOf, lostInARow, machineAnswers: false }, { lost: 5, decides })).toBe(verdict),
);
test("a node whose daemon alone is away is not dead", () => {
  for (const [heardOf, lostInARow, decides] of verdicts) {
    const verdict = livenessOf({ heardOf, lostInARow, machineAnswers: true }, { lost: 5, decides });
    expect(verdict).toBe(heardOf && lostInARow < 5 ? "alive" : "silent");
  }
});
test("the table has every case", () => expect(verdicts).toHaveLength(8));

const MS = 1_000;
test("nothing is lost before its time is over", () => {
  const probes = probing({ window: 4, patienceUs: 10 * MS });
  probes.sent(1n, 0);
  expect(probes.report(9 * MS)).toEqual({ sent: 0, lost: 0, lostInARow: 0 });
  expect(probes.report(10 * MS)).toEqual({ sent: 1, lost: 1, lostInARow: 1 });
});

test("round trips of the window; an answer ends the losses in a row", () => {
  const probes = probing({ window: 4, patienceUs: 10 * MS });
  for (const [n, rttMs] of [1, 7, 3].entries()) {
    probes.sent(BigInt(n), n * 20 * MS);
    expect(probes.answered(BigInt(n), (n * 20 + rttMs) * MS)).toBe(true);
  }
  probes.sent(3n, 60 * MS);
  expect(probes.report(100 * MS)).toEqual({
    sent: 4,
    lost: 1,
    lostInARow: 1,
    rttUs: { last: 3 * MS, median: 3 * MS, longest: 7 * MS },
  });
  probes.sent(4n, 100 * MS);
  probes.answered(4n, 102 * MS);
  // The first has left the window.
  expect(probes.report(110 * MS)).toEqual({
    sent: 4,
    lost: 1,
    lostInARow: 0,
    rttUs: { last: 2 * MS, median: 3 * MS, longest: 7 * MS },
  });
});

test("losses in a row go on beyond the window, until the answer", () => {
  const probes = probing({ window: 3, patienceUs: 10 * MS });
  for (let n = 0; n < 8; n++) probes.sent(BigInt(n), n * 20 * MS);
  expect(probes.report(200 * MS)).toEqual({ sent: 3, lost: 3, lostInARow: 8 });
  probes.sent(8n, 200 * MS);
  probes.answered(8n, 201 * MS);
  expect(probes.report(220 * MS).lostInARow).toBe(0);
});

test("answers that come late, twice, or from nowhere do not count", () => {
  const probes = probing({ window: 4, patienceUs: 10 * MS });
  probes.sent(1n, 0);
  probes.sent(2n, 0);
  expect(probes.answered(1n, 11 * MS)).toBe(false);
  expect(probes.answered(2n, 5 * MS)).toBe(true);
  expect(probes.answered(2n, 6 * MS)).toBe(false);
  expect(probes.answered(3n, 5 * MS)).toBe(false);
  expect(probes.report(20 * MS)).toMatchObject({ sent: 2, lost: 1 });
});
