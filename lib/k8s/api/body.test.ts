import { Readable } from "node:stream";
import { expect, test } from "@jest/globals";
import { fc } from "../../../test/support/property.ts";
import { type Body, jsonLines, wholeJson } from "./body.ts";

const server = new URL("https://192.0.2.1:6443");
const body = (parts: readonly (string | Buffer)[]): Body => ({
  server,
  stream: Readable.from(parts.map((part) => Buffer.from(part))),
});
async function all(of: Body, mostBytes = 1_000): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const documents of jsonLines(of, mostBytes)) found.push(...documents);
  return found;
}

test("documents are the same however their bytes come", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue(), { maxLength: 5 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      async (documents, cuts) => {
        const bytes = Buffer.from(documents.map((each) => `${JSON.stringify(each)}\n`).join(""));
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
        const parts = places.slice(1).map((to, i) => bytes.subarray(places[i], to));
        const found = await all(body(parts), 100_000);
        expect(found).toEqual(JSON.parse(JSON.stringify(documents)));
      },
    ),
  ));

test("a line that has no end yet is none", async () => {
  expect(await all(body(['{"a":1}\n{"b"', ":2}"]))).toEqual([{ a: 1 }]);
});

test.each([
  ["a line that is too long", ["x".repeat(600), "y".repeat(600)], "a line of an answer is longer than 1000 bytes"],
  ["no JSON", ["<html>\n"], "is not valid JSON"],
])("%s names the server", async (_what, parts, message) => {
  await expect(all(body(parts))).rejects.toMatchObject({
    failure: { kind: "not-ready" },
    message: expect.stringMatching(new RegExp(`^https://192.0.2.1:6443: .*${message}`)),
  });
});

test.each([
  ["too large", ["[", "1,".repeat(600), "1]"], "an answer is larger than 1000 bytes"],
  ["cut off", ['{"a":'], "JSON"],
])("an answer that is %s names the server", async (_what, parts, message) => {
  await expect(wholeJson(body(parts), 1_000)).rejects.toThrow(new RegExp(`^https://192.0.2.1:6443: .*${message}`));
});
