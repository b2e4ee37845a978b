/**
 * Redirect facts to messages and back: a filter for every packet on the ingress or the egress of clsact. It is u32 with an empty mask,
 * the classifier that the reference plugin uses: kernels are built without matchall, not without u32.
 */
import type { RedirectFact } from "#lib/state/traffic-fact.ts";
import { htons, type Message, NLM_F, type Request } from "../netlink/message.ts";
import {
  ETH_P,
  RTM_FILTER,
  RTM_QDISC,
  TC_ACT_STOLEN,
  TC_H_CLSACT,
  TC_H_EGRESS,
  TC_H_INGRESS,
  TC_U32_TERMINAL,
  TCA_EGRESS_REDIR,
  tcMessage,
  u32Options,
} from "../netlink/tc.ts";

/** The two halves of clsact. */
export const HOOK = { ingress: TC_H_INGRESS, egress: TC_H_EGRESS } as const;

/**
 * Preference of our filter; filters of others on the same link stay as they are. The two hooks have numbers of their
 * own: u32 lists the filters of both halves of clsact wherever the preference is the same (net/sched/cls_u32.c,
 * tc_u_common_ptr).
 */
const PREFERENCE = { ingress: 53, egress: 153 } as const;
const infoOf = (hook: keyof typeof HOOK): number => ((PREFERENCE[hook] << 16) | htons(ETH_P.all)) >>> 0;

const head = (index: number, hook: keyof typeof HOOK = "ingress") => ({
  index,
  parent: HOOK[hook],
  info: infoOf(hook),
});

export function addRedirect(fact: RedirectFact, index: number, to: number): Request[] {
  const parms = { action: TC_ACT_STOLEN, eaction: TCA_EGRESS_REDIR, ifindex: to };
  const options = u32Options.put({
    selector: { flags: TC_U32_TERMINAL, keys: [{ mask: 0, value: 0, at: 0 }] },
    actions: new Map([[1, { kind: "mirred", options: { parms } }]]),
  });
  return [
    addClsact(fact.link, index),
    removeRedirect(fact, index),
    {
      what: `filter add dev ${fact.link} redirect ${fact.to}`,
      type: RTM_FILTER.NEW,
      flags: NLM_F.CREATE,
      body: tcMessage.body(head(index, fact.hook), { kind: "u32", options }),
    },
  ];
}

/** The queue that holds the filters of both directions. It may be there: EEXIST. */
export const addClsact = (link: string, index: number): Request => ({
  what: `qdisc add clsact dev ${link}`,
  type: RTM_QDISC.NEW,
  flags: NLM_F.CREATE | NLM_F.EXCL,
  body: tcMessage.body({ index, handle: 0xffff0000, parent: TC_H_CLSACT }, { kind: "clsact" }),
});

/** Ifindex of the link whose filters a queue holds; undefined for any other kind of queue. @throws RangeError */
export function readClsact(message: Message): number | undefined {
  const { head, attrs } = tcMessage.read(message.body);
  return attrs.kind === "clsact" ? head.index : undefined;
}

/** The clsact queue stays: it costs nothing, and others may have put filters there. */
export const removeRedirect = (fact: RedirectFact, index: number): Request => ({
  what: `filter del dev ${fact.link}`,
  type: RTM_FILTER.DEL,
  flags: 0,
  body: tcMessage.body(head(index, fact.hook), { kind: "u32" }),
});

export const dumpFilters = (index: number, hook: keyof typeof HOOK): Request => ({
  what: `filter list dev ${index} ${hook}`,
  type: RTM_FILTER.GET,
  flags: 0,
  body: tcMessage.body({ index, parent: HOOK[hook] }),
});

/** Ifindex that our filter of that hook redirects to; undefined for any other filter. @throws RangeError */
export function readRedirect(
  message: Message,
  hook: keyof typeof HOOK,
): { readonly index: number; readonly to: number } | undefined {
  const { head: header, attrs } = tcMessage.read(message.body);
  if (attrs.kind !== "u32" || header.info !== infoOf(hook) || attrs.options === undefined) return undefined;
  const action = u32Options.get(attrs.options).actions?.get(1);
  const to = action?.kind === "mirred" ? action.options?.parms?.ifindex : undefined;
  return to === undefined ? undefined : { index: header.index, to };
}
