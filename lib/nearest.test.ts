import { expect, test } from "@jest/globals";
import { nearest } from "./nearest.ts";

const WORDS = ["status", "attachments", "ipam", "gc", "plan", "trace"];
const CASES: [word: string, meant: string | undefined][] = [
  ["status", "status"],
  ["STATUS", "status"],
  ["sttaus", "status"],
  ["stat", "status"],
  ["attachment", "attachments"],
  ["ipma", "ipam"],
  ["plna", "plan"],
  ["cg", "gc"],
  ["", undefined],
  ["reconcile", undefined],
];
test.each(CASES)("%j means %j", (word, meant) => expect(nearest(word, WORDS)).toBe(meant));

test("nothing is near to nothing", () => expect(nearest("x", [])).toBeUndefined());
