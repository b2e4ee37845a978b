import { expect, test } from "@jest/globals";
import { matches } from "./pattern.ts";

const CASES: readonly [pattern: string, name: string, expected: boolean][] = [
  ["web", "web", true],
  ["web", "web-0", false],
  ["web-*", "web-0", true],
  ["*-db", "prod-db", true],
  ["a.b", "axb", false],
  ["*", "anything", true],
  ["*", "", false],
];

test.each(CASES)("%s means %s: %s", (pattern, name, expected) => expect(matches(pattern, name)).toBe(expected));
