import { expect, test } from "@jest/globals";
import { parseOptions } from "./options.ts";

test("a full run measures every subject, and every storm that a target speaks of", () => {
  const options = parseOptions([], "bench/results/DATE.json");
  expect(options?.jsonFile).toBe("bench/results/DATE.json");
  expect(options?.subjects.length).toBe(17);
  expect(options?.levels).toEqual([0, 250, 500, 1_000]);
  const selvedge = options?.storms.filter(({ subject }) => subject === "selvedge full");
  expect(selvedge?.map(({ pods, atOnce }) => [pods, atOnce])).toEqual([
    [100, 1],
    [500, 1],
    [100, 8],
    [500, 8],
    [100, 32],
    [500, 32],
  ]);
});

test("a quick run has every figure that is judged", () => {
  const options = parseOptions(["--quick", "--json", "x.json"], "");
  expect(options?.jsonFile).toBe("x.json");
  expect(options?.rounds).toBe(12);
  expect(options?.storms.filter(({ atOnce }) => atOnce === 32).map(({ subject }) => subject)).toEqual([
    "selvedge full",
    "ptp bare",
    "chain bridge",
  ]);
});

test("some subjects alone", () => {
  const options = parseOptions(["--quick", "--only", "selvedge ipvlan, ipvlan bare"], "");
  expect(options).toMatchObject({ isPartial: true, subjects: ["selvedge ipvlan", "ipvlan bare"], rounds: 12 });
  expect(() => parseOptions(["--only", "ipvlan"], "")).toThrow("--only: ipvlan is no subject; they are selvedge full");
});

test("help runs nothing", () => expect(parseOptions(["--help"], "")).toBeUndefined());

test("an unknown option is an error", () => expect(() => parseOptions(["--fast"], "")).toThrow("--fast"));
