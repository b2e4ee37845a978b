import { expect, test } from "@jest/globals";
import { u32Options } from "./tc.ts";

/** linux/netlink.h, struct nlattr, in the order of this machine's bytes; what it holds is a multiple of four bytes. */
const attribute = (type: number, of: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(4 + of.length);
  new Uint16Array(bytes.buffer).set([bytes.length, type]);
  bytes.set(of, 4);
  return bytes;
};
const all = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

test("a filter of somebody else's is read though its action says less than ours", () => {
  const kind = attribute(1, new TextEncoder().encode("gact\0\0\0\0"));
  // struct tc_gact is struct tc_gen alone (linux/tc_act/tc_gact.h): TC_ACT_SHOT is its third member.
  const parms = attribute(2, new Uint8Array(Uint32Array.of(1, 0, 2, 1, 1).buffer));
  const action = attribute(1, all(kind, attribute(2, parms)));
  const { actions } = u32Options.get(attribute(7, action));
  expect(actions?.get(1)).toMatchObject({ kind: "gact", options: { parms: { index: 1, action: 2, ifindex: 0 } } });
});
