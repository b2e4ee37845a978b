import { expect, test } from "@jest/globals";
import { type Heard, proofs } from "./proof.ts";

const SELF = { node: "a", uid: "a-1" };
const DEAD = { node: "b", uid: "b-1" };
const GRACE_MS = 600_000;
const heard = (joined: Record<string, string>, alive: Record<string, string> = {}): Heard => ({
  joined: new Map(Object.entries({ a: "a-1", ...joined })),
  alive: new Map(Object.entries({ a: "a-1", ...alive })),
});

/** What is seen at which minute, and whether it proves that the node is gone. */
const CASES: [name: string, seen: [minute: number, heard: Heard | "anew"][], isGone: boolean][] = [
  [
    "removed and silent for the grace",
    [
      [0, heard({})],
      [10, heard({})],
    ],
    true,
  ],
  [
    "removed and silent for less",
    [
      [0, heard({})],
      [9.9, heard({})],
    ],
    false,
  ],
  [
    "silent, but not removed",
    [
      [0, heard({ b: "b-1" })],
      [60, heard({ b: "b-1" })],
    ],
    false,
  ],
  [
    "removed, but heard of",
    [
      [0, heard({}, { b: "b-1" })],
      [60, heard({}, { b: "b-1" })],
    ],
    false,
  ],
  [
    "another node has its name",
    [
      [0, heard({ b: "b-2" }, { b: "b-2" })],
      [10, heard({ b: "b-2" }, { b: "b-2" })],
    ],
    true,
  ],
  [
    "it came back in between",
    [
      [0, heard({})],
      [5, heard({ b: "b-1" })],
      [6, heard({})],
      [15, heard({})],
    ],
    false,
  ],
  [
    "a list came anew in between",
    [
      [0, heard({})],
      [9, "anew"],
      [9, heard({})],
      [18, heard({})],
    ],
    false,
  ],
  [
    "and the grace after it",
    [
      [0, heard({})],
      [9, "anew"],
      [9, heard({})],
      [19, heard({})],
    ],
    true,
  ],
  [
    "a store that does not know this node",
    [
      [0, heard({ a: "x" })],
      [60, heard({ a: "x" })],
    ],
    false,
  ],
];
test.each(CASES)("%s", (_name, seen, isGone) => {
  const it = proofs(SELF, GRACE_MS);
  let gone: readonly { node: string }[] = [];
  for (const [minute, what] of seen)
    if (what === "anew") it.begin();
    else gone = it.look([SELF, DEAD], what, minute * 60_000);
  expect(gone).toEqual(isGone ? [DEAD] : []);
});
test("the table has cases", () => expect(CASES.length).toBeGreaterThan(0));
