import { expect, test } from "@jest/globals";
import { prefix } from "./address.ts";
import { refuseNarrow } from "./least-mtu.ts";

const both = [prefix("10.1.0.5/16"), prefix("fd00::5/64")];

test("a link that is too narrow for IPv6 has IPv4 alone", () => {
  expect(() => refuseNarrow(1_279, both)).toThrow("mtu: 1279 is too little for fd00::5/64: IPv6 needs 1280 bytes");
  expect(() => refuseNarrow(1_280, both)).not.toThrow();
  expect(() => refuseNarrow(576, both.slice(0, 1))).not.toThrow();
});
