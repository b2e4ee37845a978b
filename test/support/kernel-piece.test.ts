import { relative } from "node:path";
import { expect, test } from "@jest/globals";
import { placeOf, type Whereabouts } from "./kernel-piece.ts";

const cases: [isHere: boolean, file: string, place: Whereabouts][] = [
  [true, "test/kernel/linux-contract.test.ts", "here"],
  [false, "test/kernel/linux-contract.test.ts", "guest"],
  [true, "lib/address.test.ts", "here"],
  [false, "lib/address.test.ts", "nowhere"],
  [false, "", "nowhere"],
];
test.each(cases)("a piece that is here: %s, for %s: %s", (isHere, file, place) =>
  expect(placeOf(isHere, file)).toBe(place),
);

test("a test file knows its own name while it is loaded", () =>
  expect(relative(process.cwd(), expect.getState().testPath ?? "")).toBe("test/support/kernel-piece.test.ts"));
