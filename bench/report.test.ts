import { expect, test } from "@jest/globals";
import { report } from "./report.ts";
import { SAMPLE_RUN } from "./sample-run.ts";
import { subjects } from "./subjects.ts";
import { verdicts } from "./targets.ts";

const text = report(SAMPLE_RUN, subjects({ reference: "", selvedge: "", state: "", socket: "" }), verdicts(SAMPLE_RUN));

test("fits a terminal of 120 columns", () => {
  expect(text.split("\n").filter((line) => line.length > 120)).toEqual([]);
});

test("names every target with its limit and whether it holds", () => {
  expect(text).toContain("RSS of the daemon with most attachments                   110 MiB  ≤ 130 MiB    yes");
  expect(text.split("\n").filter((line) => line.endsWith(" yes")).length).toBe(16);
});

test("says what the subjects are", () => {
  expect(text).toContain("ptp bare          ptp + host-local, IPv4, no masquerade");
});
