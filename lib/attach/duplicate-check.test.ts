import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { parseDuplicateCheck } from "./duplicate-check.ts";

test.each([
  [{}, { probes: 3, intervalMs: 100 }],
  [{ duplicateCheck: true }, { probes: 3, intervalMs: 100 }],
  [{ duplicateCheck: { probes: 1 } }, { probes: 1, intervalMs: 100 }],
  [{ duplicateCheck: { intervalMs: 250 } }, { probes: 3, intervalMs: 250 }],
  [{ duplicateCheck: false }, undefined],
])("%j", (config, check) => expect(parseDuplicateCheck(root(config))).toEqual(check));

test.each([
  [{ duplicateCheck: "no" }, 'duplicateCheck: "no" is not false or an object such as {probes: 3, intervalMs: 100}'],
  [{ duplicateCheck: { probes: 0 } }, "duplicateCheck.probes: 0 is not a whole number from 1 to 10"],
  [{ duplicateCheck: { intervalMs: 5 } }, "duplicateCheck.intervalMs: 5 is not a whole number from 10 to 1000"],
])("%j is refused", (config, message) => expect(() => parseDuplicateCheck(root(config))).toThrow(message));
