/** Shaper facts to messages and back: a token bucket (tbf) as the root queue. */
import type { ShaperFact } from "#lib/state/traffic-fact.ts";
import { type Message, NLM_F, type Request } from "../netlink/message.ts";
import { RTM_QDISC, TC_H_ROOT, tbfOptions, tcMessage } from "../netlink/tc.ts";

/** tc_ratespec.linklayer: the kernel counts bytes itself and needs no table of rates. */
const LINKLAYER_ETHERNET = 1;
/** Handle 53: of our token bucket. */
const HANDLE = 0x530000;
/** net/sched: a tick is 64 ns (PSCHED_SHIFT 6). */
const TICK_NS = 64;

/** `limit` in bytes, as `tc` reckons it: what may wait for `latencyUs`, and the burst. */
function numbers(fact: ShaperFact) {
  const rateBytes = Math.floor(fact.rateBits / 8);
  const limit = Math.floor((rateBytes * fact.latencyUs) / 1e6) + fact.burstBytes;
  return {
    rateBytes,
    limit: Math.min(limit, 0xffffffff),
    ticks: Math.floor((fact.burstBytes * 1e9) / rateBytes / TICK_NS),
  };
}

export function addShaper(fact: ShaperFact, index: number): Request {
  const { rateBytes, limit, ticks } = numbers(fact);
  const options = tbfOptions.put({
    parms: {
      linklayer: LINKLAYER_ETHERNET,
      rate: Math.min(rateBytes, 0xffffffff),
      limit,
      buffer: Math.min(ticks, 0xffffffff),
    },
    ...(rateBytes > 0xffffffff ? { rate64: BigInt(rateBytes) } : {}),
    burst: fact.burstBytes,
  });
  return {
    what: `qdisc add tbf dev ${fact.link}`,
    type: RTM_QDISC.NEW,
    flags: NLM_F.CREATE | NLM_F.REPLACE,
    body: tcMessage.body({ index, handle: HANDLE, parent: TC_H_ROOT }, { kind: "tbf", options }),
  };
}

export const removeShaper = (fact: ShaperFact, index: number): Request => ({
  what: `qdisc del tbf dev ${fact.link}`,
  type: RTM_QDISC.DEL,
  flags: 0,
  body: tcMessage.body({ index, handle: HANDLE, parent: TC_H_ROOT }, { kind: "tbf" }),
});

/** The root queue of the link. A queue is answered as a notification, which comes back only when an echo is asked for. */
export const getShaper = (index: number): Request => ({
  what: `qdisc get dev ${index}`,
  type: RTM_QDISC.GET,
  flags: NLM_F.ECHO,
  body: tcMessage.body({ index, parent: TC_H_ROOT }),
});

export const dumpQueues: Request = {
  what: "qdisc list",
  type: RTM_QDISC.GET,
  flags: 0,
  body: tcMessage.body({}),
};

export interface SeenShaper {
  readonly index: number;
  readonly rateBytes: number;
  readonly limit: number;
  readonly ticks: number;
}

/** Undefined for a queue that is not our token bucket. @throws RangeError */
export function readShaper(message: Message): SeenShaper | undefined {
  const { head, attrs } = tcMessage.read(message.body);
  if (attrs.kind !== "tbf" || head.handle !== HANDLE || head.parent !== TC_H_ROOT || attrs.options === undefined)
    return undefined;
  const { parms, rate64 } = tbfOptions.get(attrs.options);
  if (parms === undefined) return undefined;
  const { rate = 0, limit = 0, buffer = 0 } = parms;
  return { index: head.index, rateBytes: rate64 === undefined ? rate : Number(rate64), limit, ticks: buffer };
}

/**
 * The kernel keeps the burst as time, so bytes cannot be told to the last one: what was wanted is reported when the
 * kernel's numbers are those that it leads to, else the nearest whole numbers.
 */
export function shaperFact(seen: SeenShaper, at: ShaperFact["at"], link: string, want?: ShaperFact): ShaperFact {
  if (want !== undefined) {
    const { rateBytes, limit, ticks } = numbers(want);
    if (rateBytes === seen.rateBytes && limit === seen.limit && Math.abs(ticks - seen.ticks) <= 1) return want;
  }
  const burstBytes = Math.round((seen.ticks * TICK_NS * seen.rateBytes) / 1e9);
  const latencyUs = Math.round(((seen.limit - burstBytes) * 1e6) / seen.rateBytes);
  return { type: "shaper", at, link, rateBits: seen.rateBytes * 8, burstBytes, latencyUs };
}
