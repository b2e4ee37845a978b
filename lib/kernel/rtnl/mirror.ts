/**
 * Mirror facts to messages and back: u32 filters on clsact whose action copies the packet (mirred mirror) and lets the
 * filters after it be asked, the redirect of a limited bandwidth among them.
 */
import type { MirrorFact, PacketMatch } from "#lib/state/traffic-fact.ts";
import { htons, type Message, NLM_F, type Request } from "../netlink/message.ts";
import {
  ETH_P,
  RTM_FILTER,
  TC_ACT_UNSPEC,
  TC_U32_TERMINAL,
  TCA_EGRESS_MIRROR,
  TCA_TUNNEL_KEY_ACT_RELEASE,
  tcMessage,
  u32Options,
} from "../netlink/tc.ts";
import { HOOK } from "./redirect.ts";

/**
 * Preference of the first slot of each hook; each slot has two, since all filters of one preference are of one protocol.
 * All lie before that of the hook's redirect.
 */
const FIRST = { ingress: 20, egress: 120 } as const;
const SLOTS = 16;
type Spot = Pick<MirrorFact, "hook" | "slot">;
const preferenceOf = ({ hook, slot }: Spot, protocol: PacketMatch["protocol"]): number =>
  FIRST[hook] + slot * 2 + (protocol === "ipv6" ? 1 : 0);

const infoOf = (spot: Spot, protocol: PacketMatch["protocol"]): number =>
  ((preferenceOf(spot, protocol) << 16) | htons(ETH_P[protocol])) >>> 0;

/** What stood in the slot must have been removed, and the link must have clsact. */
export const addMirror = (fact: MirrorFact, index: number, to: number): Request[] =>
  fact.matches.map(({ protocol, words }): Request => {
    const parms = { action: TC_ACT_UNSPEC, eaction: TCA_EGRESS_MIRROR, ifindex: to };
    const keys = words.map(({ offset, mask, value }) => ({ mask, value, at: offset }));
    const options = u32Options.put({
      selector: { flags: TC_U32_TERMINAL, keys: keys.length === 0 ? [{ mask: 0, value: 0, at: 0 }] : keys },
      actions: new Map([[1, { kind: "mirred", options: { parms } }]]),
    });
    return {
      what: `filter add dev ${fact.link} ${fact.hook} mirror ${fact.to}`,
      type: RTM_FILTER.NEW,
      flags: NLM_F.CREATE,
      body: tcMessage.body({ index, parent: HOOK[fact.hook], info: infoOf(fact, protocol) }, { kind: "u32", options }),
    };
  });

/**
 * What leaves by the link has been routed, and a copy that VXLAN makes too large for the way to the analyser would have the
 * kernel write that down of the original's way: for IPv6 it does (net/ipv4/ip_tunnel_core.c, skb_tunnel_check_pmtu; v6.12).
 * So packets lose their route before they are copied; a veth takes it from them right after. Before the slot's others.
 */
export const addRelease = (fact: MirrorFact, index: number): Request[] =>
  PROTOCOLS_OF_IPV6.filter(
    (protocol) => fact.hook === "egress" && fact.matches.some((m) => m.protocol === protocol),
  ).map((protocol): Request => {
    const parms = { action: TC_ACT_UNSPEC, eaction: TCA_TUNNEL_KEY_ACT_RELEASE };
    const options = u32Options.put({
      selector: { flags: TC_U32_TERMINAL, keys: [{ mask: 0, value: 0, at: 0 }] },
      actions: new Map([[1, { kind: "tunnel_key", options: { parms } }]]),
    });
    return {
      what: `filter add dev ${fact.link} ${fact.hook} release`,
      type: RTM_FILTER.NEW,
      flags: NLM_F.CREATE,
      body: tcMessage.body({ index, parent: HOOK[fact.hook], info: infoOf(fact, protocol) }, { kind: "u32", options }),
    };
  });

const PROTOCOLS_OF_IPV6 = ["ipv6", "all"] as const satisfies readonly PacketMatch["protocol"][];

/** Everything of the slot: the protocol is not said, so that whatever stands at the preference goes. */
export const removeMirror = ({ link, hook, slot }: MirrorFact, index: number): Request[] =>
  (["ip", "ipv6"] as const).map((protocol) => ({
    what: `filter del dev ${link} ${hook} slot ${slot}`,
    type: RTM_FILTER.DEL,
    flags: 0,
    body: tcMessage.body({ index, parent: HOOK[hook], info: (preferenceOf({ hook, slot }, protocol) << 16) >>> 0 }),
  }));

export interface SeenMirror {
  readonly slot: number;
  /** Ifindex of the link that gets the copies. */
  readonly to: number;
  readonly match: PacketMatch;
}

/** Undefined for any filter that is not one of the hook's mirrors. @throws RangeError */
export function readMirror(message: Message, hook: MirrorFact["hook"]): SeenMirror | undefined {
  const { head, attrs } = tcMessage.read(message.body);
  const slot = ((head.info >>> 16) - FIRST[hook]) >> 1;
  if (attrs.kind !== "u32" || attrs.options === undefined || slot < 0 || slot >= SLOTS) return undefined;
  const { selector, actions } = u32Options.get(attrs.options);
  const action = actions?.get(1);
  const parms = action?.kind === "mirred" ? action.options?.parms : undefined;
  if (selector === undefined || parms?.eaction !== TCA_EGRESS_MIRROR || parms.action !== TC_ACT_UNSPEC)
    return undefined;
  const protocol = (["all", "ip", "ipv6"] as const).find((name) => htons(ETH_P[name]) === (head.info & 0xffff));
  if (protocol === undefined) return undefined;
  const words = selector.keys
    .filter(({ mask }) => mask !== 0)
    .map(({ at, mask, value }) => ({ offset: at, mask, value }));
  return { slot, to: parms.ifindex ?? 0, match: { protocol, words } };
}

/** The slot as a fact, its matches in the order of `want` where they are the same. */
export function mirrorFact(
  seen: readonly SeenMirror[],
  name: (index: number) => string,
  want: Pick<MirrorFact, "at" | "link" | "hook" | "slot"> & Partial<MirrorFact>,
): MirrorFact | undefined {
  const mine = seen.filter(({ slot }) => slot === want.slot);
  const [first] = mine;
  if (first === undefined) return undefined;
  const order = (want.matches ?? []).map((match) => JSON.stringify(match));
  const place = (match: PacketMatch) => order.indexOf(JSON.stringify(match));
  const { at, link, hook, slot } = want;
  // Copies that go elsewhere too are not what is wanted: then the whole is told as going nowhere of that name.
  const targets = [...new Set(mine.map(({ to }) => name(to)))];
  const matches = mine.map(({ match }) => match).toSorted((a, b) => place(a) - place(b));
  return { type: "mirror", at, link, hook, slot, to: targets.join(" "), matches };
}
