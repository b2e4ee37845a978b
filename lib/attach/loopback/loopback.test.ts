import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { dualStack, lines } from "../../../test/attach/sample.ts";
import { loopback } from "./loopback.ts";

test("lo, whatever interface was asked for", () => {
  const built = loopback.desired(loopback.parse(root({})), dualStack);
  expect(lines([...built.shared, ...built.facts])).toEqual([
    "+ link lo [pod] loopback up",
    "+ addr 127.0.0.1/8 dev lo [pod]",
    "+ addr ::1/128 dev lo [pod]",
  ]);
  expect(built.ips).toEqual([{ address: "127.0.0.1/8" }, { address: "::1/128" }]);
  expect(built.podInterface).toEqual({ name: "lo", mac: "00:00:00:00:00:00" });
  expect(loopback.addressless?.({})).toBe(true);
});
