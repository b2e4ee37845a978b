import { expect, test } from "@jest/globals";
import { fc } from "../../test/support/property.ts";
import { isBelow, isSecret, lineOf, pathFrom, pathOf } from "./path.ts";

const word = fc.stringMatching(/^[A-Za-z0-9.:/_-]{1,10}( [a-z]{1,5}){0,2}$/);

test("a line tells the path that it was made of", () =>
  fc.assert(fc.property(fc.array(word, { minLength: 1 }), (path) => expect(pathOf(lineOf(path))).toEqual(path))));

test("a secret is in no line, and another one is another line", () => {
  const line = (secret: string) => lineOf(["protocols", "bgp", "peer-group", "G", "password", secret]);
  expect(line("s3cret")).toBe("protocols bgp peer-group G password '(secret 3040f9a92dbf)'");
  expect(line("s3cret2")).not.toBe(line("s3cret"));
  expect(isSecret(line("s3cret"))).toBe(true);
  expect(isSecret(lineOf(["protocols", "bgp", "system-as", "65000"]))).toBe(false);
  expect(lineOf(pathOf(line("s3cret")))).toBe(line("s3cret"));
});

test.each(["it's", 'a "b"', "a\nb", ""])("%j is no value", (value) =>
  expect(() => pathFrom("nat", "source", "rule", 1, "description", value)).toThrow(
    `edge: ${JSON.stringify(value)} in "nat source rule 1 description" is not a value that VyOS takes`,
  ),
);

test("a secret that is no value is not told", () => {
  const made = () => pathFrom("vpn", "ipsec", "authentication", "psk", "hq", "secret", "it's s3cret");
  expect(made).toThrow(
    'edge: a secret in "vpn ipsec authentication psk hq secret" is not a value that VyOS takes: no quotes, no control characters, not empty',
  );
});

test("below is at or under", () => {
  expect(isBelow(["a", "b"], ["a", "b"])).toBe(true);
  expect(isBelow(["a", "b", "c"], ["a", "b"])).toBe(true);
  expect(isBelow(["a"], ["a", "b"])).toBe(false);
  expect(isBelow(["a", "bc"], ["a", "b"])).toBe(false);
});
