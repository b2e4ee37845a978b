import { expect, test } from "@jest/globals";
import { dialectOf } from "./dialect.ts";

test.each([
  ["1.4.0", "1.4"],
  ["VyOS 1.4-rolling-202308240020", "1.4"],
  ["1.5-rolling-202602131234", "rolling"],
  ["1.5.0", "rolling"],
  ["2026.02.13-0018-rolling", "rolling"],
  ["999.202602130018", "rolling"],
])("%s is understood as %s", (version, expected) => expect(dialectOf(version).version).toBe(expected));

test.each(["", "1.3.8", "1.3-rolling-202101010000", "Debian 12", "1.2.9-S1"])("%j is refused", (version) =>
  expect(() => dialectOf(version)).toThrow(`version: ${JSON.stringify(version)} is not a VyOS that Selvedge knows`),
);
