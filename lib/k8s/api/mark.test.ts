import { expect, test } from "@jest/globals";
import { fc } from "../../../test/support/property.ts";
import { markOf, uidIn, versionIn } from "./mark.ts";

const version = fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String);
const uid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((each) => each.toUpperCase()),
  fc.constant(""),
  fc.string(),
);

test("what is marked is read back, whatever the uid is", () =>
  fc.assert(
    fc.property(version, uid, (ofVersion, ofUid) => {
      const mark = markOf(ofVersion, ofUid);
      expect([versionIn(mark), uidIn(mark)]).toEqual([ofVersion, ofUid]);
    }),
  ));

test("a uuid takes a character for each of its bytes", () =>
  expect(markOf("1000000", "5e1f0000-0000-4000-8000-0000000000ff")).toBe("1000000=^\x1f\0\0\0\0@\0\x80\0\0\0\0\0\0ÿ"));
