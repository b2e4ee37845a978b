/** Policy routing rules on the wire: linux/fib_rules.h (v6.12). */
import { attrs } from "./attr.ts";
import { ip, text, u8, u32 } from "./codec.ts";
import { layout } from "./message.ts";
import { struct } from "./struct.ts";

export const RTM_RULE = { NEW: 32, DEL: 33, GET: 34 } as const;
export const FR_ACT_TO_TBL = 1;

const ruleHeader = struct({
  family: u8,
  toLength: u8,
  fromLength: u8,
  tos: u8,
  table: u8,
  pad1: u8,
  pad2: u8,
  action: u8,
  flags: u32,
});

/** FRA_* */
export const ruleMessage = layout(
  ruleHeader,
  attrs({
    from: [2, ip],
    iif: [3, text],
    priority: [6, u32],
    mark: [10, u32],
    table: [15, u32],
    mask: [16, u32],
    protocol: [21, u8],
  }),
);
