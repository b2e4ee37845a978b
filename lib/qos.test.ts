import { expect, test } from "@jest/globals";
import { root } from "./parse.ts";
import { DSCP, dscp, dscpName, parsePodQosAnnotation, parseQos } from "./qos.ts";

test.each([
  ["EF", 46],
  ["af41", 34],
  ["CS6", 48],
  ["LE", 1],
  [0, 0],
  [63, 63],
])("%s is %i", (given, value) => expect(dscp(root(given, "qos.dscp"))).toBe(value));

test.each(["EG", "", "46", 64, -1, 1.5, true, {}])("%j is none", (given) =>
  expect(() => dscp(root(given, "qos.dscp"))).toThrow("qos.dscp: "),
);

test("every name means its number, and a number without a name is itself", () => {
  expect(Object.keys(DSCP)).toHaveLength(23);
  for (const [name, value] of Object.entries(DSCP)) expect(dscpName(value)).toBe(name);
  expect(dscpName(3)).toBe("3");
});

test("what is absent stays absent", () => {
  expect(parseQos(root(undefined))).toBeUndefined();
  expect(parseQos(root({ DSCP: "EF", egressRate: 5_000 }))).toEqual({ dscp: 46, egressRate: 5_000 });
});

test("an annotation is JSON", () => {
  expect(parsePodQosAnnotation('{"egressRate": 50000000}')).toEqual({ egressRate: 50_000_000 });
  expect(() => parsePodQosAnnotation("50M")).toThrow('selvedge.dev/pod-qos: "50M" is not JSON such as');
  expect(() => parsePodQosAnnotation('{"egressRate": "5"}')).toThrow("selvedge.dev/pod-qos.egressRate: ");
});
