import { expect, test } from "@jest/globals";
import type { Step } from "./change.ts";
import { beyond } from "./limit.ts";
import type { Line } from "./path.ts";
import { ownership, type Piece } from "./piece.ts";

const LIMIT = { percent: 20, paths: 5 };
const lines = (at: string, n: number) => Array.from({ length: n }, (_, i) => `${at} ${i}` as Line);
const owned = ownership([{ at: "other" as Line, lines: lines("other", 40) }]);
const step = (at: string, removed: number, added = 0): Step => ({
  at: at as Line,
  removed: lines(at, removed),
  added: lines(at, added),
});
const followed: Piece = { at: ["group", "WEB"], paths: [["group", "WEB"]], followsPods: true };

test.each<[name: string, steps: Step[], wanted: Piece[], expected: string | undefined]>([
  ["nothing", [], [], undefined],
  ["the share", [step("a", 8)], [], undefined],
  ["more", [step("a", 5), step("b", 4)], [], "9 of 40 paths would go, and one push may take 8"],
  ["what others come in place of", [step("a", 30, 25)], [], undefined],
  ["pods that go", [step("group WEB", 30)], [followed], undefined],
  [
    "pods that nobody wants to follow any more",
    [step("group WEB", 30)],
    [],
    "30 of 40 paths would go, and one push may take 8",
  ],
])("%s", (_name, steps, wanted, expected) => expect(beyond(steps, wanted, owned, LIMIT)).toBe(expected));
