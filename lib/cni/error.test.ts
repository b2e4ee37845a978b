import { expect, test } from "@jest/globals";
import { type Failure, SelvedgeError } from "#lib/errors.ts";
import { errorText, toCni, toCniError } from "./error.ts";

const codes: [Failure, number][] = [
  [{ kind: "version-unsupported", version: "2.0.0" }, 1],
  [{ kind: "unsupported-field", field: "x" }, 2],
  [{ kind: "environment-invalid", variables: ["CNI_ARGS"] }, 4],
  [{ kind: "decode" }, 6],
  [{ kind: "config-invalid", field: "mtu" }, 7],
  [{ kind: "own-namespace" }, 8],
  [{ kind: "not-ready" }, 11],
  [{ kind: "deadline" }, 11],
  [{ kind: "pool-exhausted", pool: "std" }, 11],
  [{ kind: "delegate", plugin: "dhcp", code: 42 }, 42],
  [{ kind: "delegate", plugin: "dhcp", code: 0 }, 108],
  [{ kind: "result-invalid", field: "ips" }, 999],
];
test.each(codes)("%j has code %i", (failure, code) => expect(toCni(failure)).toBe(code));

test("what is temporary means not available to STATUS", () => {
  expect(toCni({ kind: "not-ready" }, "STATUS")).toBe(50);
  expect(toCni({ kind: "pool-exhausted", pool: "std" }, "STATUS")).toBe(50);
  expect(toCni({ kind: "decode" }, "STATUS")).toBe(6);
});

test("an error object has a version, a code and a message, and details when there are some", () => {
  const error = new SelvedgeError({ kind: "not-ready" }, "away", { hint: "start it" });
  expect(JSON.parse(errorText(toCniError(error), "0.4.0"))).toEqual({
    cniVersion: "0.4.0",
    code: 11,
    msg: "away",
    details: "start it",
  });
  expect(JSON.parse(errorText({ code: 6, msg: "m", details: "" }))).toEqual({ cniVersion: "1.1.0", code: 6, msg: "m" });
});

test("a drift lists what would repair it", () => {
  const error = new SelvedgeError({ kind: "drift", lines: ["+ link eth0", "- route x"] }, "2 differences");
  expect(toCniError(error)).toEqual({ code: 105, msg: "2 differences", details: "+ link eth0\n- route x" });
});

test("a bug is an internal error without its stack", () => {
  expect(toCniError(new TypeError("x is undefined"))).toEqual({
    code: 999,
    msg: "internal error: x is undefined",
    details: "",
  });
});
