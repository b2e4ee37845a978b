/**
 * Redirect facts to messages and back: a filter for every packet on the ingress of clsact. It is u32 with an empty mask,
 * the classifier that the reference plugin uses: kernels are built without matchall, not without u32.
 */
import type { RedirectFact } from "#lib/state/fact.ts";
import { htons, type Message, NLM_F, type Request } from "../netlink/message.ts";
import {
  ETH_P_ALL,
  RTM_FILTER,
  RTM_QDISC,
  TC_ACT_STOLEN,
  TC_H_CLSACT,
  TC_H_INGRESS,
  TC_U32_TERMINAL,
  TCA_EGRESS_REDIR,
  tcMessage,
  u32Options,
} from "../netlink/tc.ts";

/** Preference of our filter; filters of others on the same link stay as they are. */
const PREFERENCE = 53;
const INFO = ((PREFERENCE << 16) | htons(ETH_P_ALL)) >>> 0;

const head = (index: number) => ({ index, parent: TC_H_INGRESS, info: INFO });

export function addRedirect(fact: RedirectFact, index: number, to: number): Request[] {
  const parms = { action: TC_ACT_STOLEN, eaction: TCA_EGRESS_REDIR, ifindex: to };
  const options = u32Options.put({
    selector: { flags: TC_U32_TERMINAL, keys: 1 },
    actions: new Map([[1, { kind: "mirred", options: { parms } }]]),
  });
  return [
    {
      what: `qdisc add clsact dev ${fact.link}`,
      type: RTM_QDISC.NEW,
      flags: NLM_F.CREATE | NLM_F.EXCL,
      body: tcMessage.body({ index, handle: 0xffff0000, parent: TC_H_CLSACT }, { kind: "clsact" }),
    },
    removeRedirect(fact, index),
    {
      what: `filter add dev ${fact.link} redirect ${fact.to}`,
      type: RTM_FILTER.NEW,
      flags: NLM_F.CREATE,
      body: tcMessage.body(head(index), { kind: "u32", options }),
    },
  ];
}

/** The clsact queue stays: it costs nothing, and others may have put filters there. */
export const removeRedirect = (fact: RedirectFact, index: number): Request => ({
  what: `filter del dev ${fact.link}`,
  type: RTM_FILTER.DEL,
  flags: 0,
  body: tcMessage.body(head(index), { kind: "u32" }),
});

export const dumpFilters = (index: number): Request => ({
  what: `filter list dev ${index}`,
  type: RTM_FILTER.GET,
  flags: 0,
  body: tcMessage.body({ index, parent: TC_H_INGRESS }),
});

/** Ifindex that our filter redirects to; undefined for any other filter. @throws RangeError */
export function readRedirect(message: Message): { readonly index: number; readonly to: number } | undefined {
  const { head: header, attrs } = tcMessage.read(message.body);
  if (attrs.kind !== "u32" || header.info !== INFO || attrs.options === undefined) return undefined;
  const action = u32Options.get(attrs.options).actions?.get(1);
  const to = action?.kind === "mirred" ? action.options?.parms?.ifindex : undefined;
  return to === undefined ? undefined : { index: header.index, to };
}
