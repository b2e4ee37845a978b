import { expect, test } from "@jest/globals";
import { fc } from "../../../test/support/property.ts";
import { kindOf, kindsBelow } from "./kinds.ts";
import { entryOf, nameOf, objectOf } from "./object.ts";

const NAMES: readonly (readonly [key: string, name: string])[] = [
  ["nodes/alpha", "alpha"],
  ["nodes/node-1.example.org", "node-1.example.org"],
  ["nodes/Alpha", "alpha-e31fc32bf6bc95e6"],
  ["nodes/a/b", "a-b-e48fa9c6a32d64ce"],
  ["blocks/default/10.66.0.64-26", "default.10.66.0.64-26"],
  ["blocks/a.b/10.66.0.64-26", "a-b-10-66-0-64-26-60a10d1dea953716"],
  ["blocks/default/fd00::40-122", "default-fd00-40-122-ae1c1395a054555a"],
  ["egress/198.51.100.7", "198.51.100.7"],
  ["alive/alpha", "alive-alpha-a822aabfca8dfa70"],
  ["_", "d2e2adf7177b7a8a"],
];
test.each(NAMES)("%s is called %s", (key, name) => expect(nameOf(key)).toBe(name));

/** Kubernetes' "DNS subdomain name". */
const VALID = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const segment = fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/);
const key = fc
  .tuple(
    fc.constantFrom("", "nodes/", "blocks/", "fixed/", "endpoints/"),
    fc.array(segment, { minLength: 1, maxLength: 30 }),
  )
  .map(([prefix, segments]) => prefix + segments.join("/"));

test("every key has a name that the server takes, and of two keys of one kind each has its own", () =>
  fc.assert(
    fc.property(key, key, (one, other) => {
      const [name, otherName] = [nameOf(one), nameOf(other)];
      expect(name).toMatch(VALID);
      expect(name.length).toBeLessThan(254);
      if (one !== other && kindOf(one) === kindOf(other)) expect(name).not.toBe(otherName);
    }),
  ));

test("what is kept as text comes back as it was, with the revision that it came with", () =>
  fc.assert(
    fc.property(segment, fc.string(), (last, value) => {
      const { metadata, ...rest } = objectOf(`a/${last}`, value);
      const came = { ...rest, metadata: { ...metadata, resourceVersion: "7" } };
      expect(entryOf(came)).toEqual({ key: `a/${last}`, value, revision: "7" });
    }),
  ));

const BELOW: readonly (readonly [within: string, plurals: string[]])[] = [
  ["blocks/", ["addressblocks"]],
  ["blocks/default/", ["addressblocks"]],
  ["alive/", ["sharedrecords"]],
  ["fix", ["fixedaddresses", "sharedrecords"]],
  [
    "",
    [
      "selvedgenodes",
      "addressblocks",
      "fixedaddresses",
      "reservations",
      "egressaddresses",
      "segmentendpoints",
      "sharedrecords",
    ],
  ],
];
test.each(BELOW)('keys that begin with "%s" are of %j', (within, plurals) =>
  expect(kindsBelow(within).map(({ plural }) => plural)).toEqual(plurals.map((each) => `${each}.selvedge.dev`)),
);
