/** Facts of policy routing to messages and back. */
import { addressOf, lengthOf, withLength } from "#lib/address.ts";
import type { RuleFact } from "#lib/state/fact.ts";
import { ROUTE_PROTOCOL } from "../kernel.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { FR_ACT_TO_TBL, RTM_RULE, ruleMessage } from "../netlink/rule.ts";
import { AF, familyOf } from "./family.ts";

/** Priorities of our rules, both ends included. */
const OWN_PRIORITIES = { first: 5300, last: 5399 } as const;
export const isOwnPriority = (n: number): boolean => n >= OWN_PRIORITIES.first && n <= OWN_PRIORITIES.last;

function body(fact: RuleFact): Uint8Array {
  const { from, iif, mark, table, priority } = fact;
  return ruleMessage.body(
    {
      family: AF[fact.family],
      fromLength: from === undefined ? 0 : lengthOf(from),
      table: table < 256 ? table : 0,
      action: FR_ACT_TO_TBL,
    },
    {
      priority,
      table,
      protocol: ROUTE_PROTOCOL,
      ...(from === undefined ? {} : { from: addressOf(from) }),
      ...(iif === undefined ? {} : { iif }),
      ...(mark === undefined ? {} : { mark: mark.value, mask: mark.mask }),
    },
  );
}

export const addRule = (fact: RuleFact): Request => ({
  what: `rule add priority ${fact.priority}`,
  type: RTM_RULE.NEW,
  flags: NLM_F.CREATE | NLM_F.EXCL,
  body: body(fact),
});

export const removeRule = (fact: RuleFact): Request => ({
  what: `rule del priority ${fact.priority}`,
  type: RTM_RULE.DEL,
  flags: 0,
  body: body(fact),
});

export const dumpRules = (family: 4 | 6): Request => ({
  what: "rule list",
  type: RTM_RULE.GET,
  flags: 0,
  body: ruleMessage.body({ family: AF[family] }),
});

/** Undefined for what no fact can name. @throws RangeError */
export function readRule(message: Message, at: RuleFact["at"]): RuleFact | undefined {
  const { head, attrs } = ruleMessage.read(message.body);
  const family = familyOf(head.family);
  if (family === undefined || head.action !== FR_ACT_TO_TBL || attrs.priority === undefined) return undefined;
  return {
    type: "rule",
    at,
    family,
    priority: attrs.priority,
    table: attrs.table ?? head.table,
    ...(attrs.from === undefined ? {} : { from: withLength(attrs.from, head.fromLength) }),
    ...(attrs.iif === undefined ? {} : { iif: attrs.iif }),
    ...(attrs.mask === undefined ? {} : { mark: { value: attrs.mark ?? 0, mask: attrs.mask } }),
  };
}
