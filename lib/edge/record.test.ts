import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { fc } from "../../test/support/property.ts";
import { type Line, lineOf } from "./path.ts";
import { ownership } from "./piece.ts";
import { type Push, type RouterRecord, readPause, readPush, readRecord, writePush, writeRecord } from "./record.ts";

const word = fc.stringMatching(/^[a-z0-9./:-]{1,8}( [a-z]{1,4})?$/);
const place = fc.record(
  { at: fc.array(word, { minLength: 1, maxLength: 4 }).map(lineOf), within: word.map((each) => lineOf([each])) },
  { requiredKeys: ["at"] },
);
const lines = (at: Line) =>
  fc.uniqueArray(
    fc.array(word, { maxLength: 3 }).map((more) => [at, lineOf(more)].filter((each) => each !== "").join(" ") as Line),
    { maxLength: 4 },
  );
const ms = fc.nat();

const records: fc.Arbitrary<RouterRecord> = fc.record(
  {
    revision: fc.nat(),
    owned: fc
      .uniqueArray(
        place.chain((where) => lines(where.at).map((all) => ({ ...where, lines: all }))),
        { selector: ({ at }) => at, maxLength: 5 },
      )
      .map(ownership),
    isUnsaved: fc.boolean(),
    unknownMs: ms,
    drifted: fc.array(word.map((each) => lineOf([each]))),
  },
  { requiredKeys: ["revision", "owned", "isUnsaved"] },
);
const pushes: fc.Arbitrary<Push> = fc.record(
  {
    revision: fc.integer({ min: 1, max: 1_000 }),
    atMs: ms,
    tookMs: ms,
    by: word,
    why: word,
    steps: fc.array(
      place.chain((where) =>
        fc.tuple(lines(where.at), lines(where.at)).map(([removed, added]) => ({ ...where, removed, added })),
      ),
      { maxLength: 4 },
    ),
    result: fc.constantFrom(
      "begun" as const,
      "done" as const,
      "failed" as const,
      "refused" as const,
      "unknown" as const,
    ),
    message: fc.string(),
    tries: fc.nat(),
  },
  { requiredKeys: ["revision", "atMs", "tookMs", "by", "why", "steps", "result", "message"] },
);

test("what is written is what is read", () => {
  fc.assert(fc.property(records, (value) => expect(readRecord(root(JSON.parse(writeRecord(value))))).toEqual(value)));
  fc.assert(fc.property(pushes, (value) => expect(readPush(root(JSON.parse(writePush(value))))).toEqual(value)));
});

test("a record of somebody else's making is refused by the name of what is wrong", () => {
  expect(() => readRecord(root({ revision: "7", owned: [] }, "edge/e/state"))).toThrow(
    'edge/e/state.revision: "7" is not a whole number from 0 to 9007199254740991',
  );
  expect(() => readPush(root({ revision: 1, atMs: 0, tookMs: 0, by: "a", why: "w", result: "won" }))).toThrow(
    'result: "won" is not one of',
  );
  expect(() => readPause(root({ by: "a" }))).toThrow("why: is missing; it must be a string");
});
