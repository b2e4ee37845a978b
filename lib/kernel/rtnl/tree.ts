/**
 * Tree facts to messages and back: HTB (net/sched/sch_htb.c) with one class that holds the rate of all, a class below it
 * for each class of the fact, a queue of bytes as its leaf, and a u32 filter that leads to it.
 */
import { type Mac, macFromBytes, macToBytes } from "#lib/address.ts";
import type { TreeClass, TreeFact } from "#lib/state/traffic-fact.ts";
import { viewOf } from "../netlink/codec.ts";
import { htons, type Message, NLM_F, type Request } from "../netlink/message.ts";
import {
  ETH_P,
  fifoOptions,
  HTB_VERSION,
  htbOptions,
  RTM_CLASS,
  RTM_FILTER,
  RTM_QDISC,
  TC_H_ROOT,
  TC_U32_TERMINAL,
  tcMessage,
  u32Options,
} from "../netlink/tc.ts";
import { writer } from "../netlink/writer.ts";

/** Handle 54: of our tree; its classes are 54:1 for all and 54:id. */
const HANDLE = 0x540000;
const WHOLE = HANDLE | 1;
const LINKLAYER_ETHERNET = 1;
/** net/sched: a tick is 64 ns (PSCHED_SHIFT 6). */
const TICK_NS = 64;
/** Bytes that a class may send before its neighbour's turn: a frame at least, and little enough to be fair. */
const QUANTUM = { least: 1_514, most: 60_000 } as const;

const classOf = (id: number): number => HANDLE | id;
const bytesOf = (bits: number): number => Math.floor(bits / 8);
const ticksOf = (bytes: number, rateBytes: number): number =>
  Math.min(Math.floor((bytes * 1e9) / rateBytes / TICK_NS), 0xffffffff);
const limitOf = (fact: TreeFact, { ceilBits, burstBytes }: TreeClass): number =>
  Math.min(Math.floor((bytesOf(ceilBits) * fact.latencyUs) / 1e6) + burstBytes, 0xffffffff);

/** The whole tree; what stands as the root queue must have been removed. */
export function addTree(fact: TreeFact, index: number): Request[] {
  const first = fact.classes[0]?.id ?? 0;
  const init = { version: HTB_VERSION, rateToQuantum: 10, defaultClass: first };
  return [
    {
      what: `qdisc add htb dev ${fact.link}`,
      type: RTM_QDISC.NEW,
      flags: NLM_F.CREATE | NLM_F.REPLACE,
      body: tcMessage.body(
        { index, handle: HANDLE, parent: TC_H_ROOT },
        { kind: "htb", options: htbOptions.put({ init }) },
      ),
    },
    addClass(fact.link, index, { handle: WHOLE, parent: HANDLE }, { ...fact, ceilBits: fact.rateBits, order: 0 }),
    ...fact.classes.flatMap((each) => [
      addClass(fact.link, index, { handle: classOf(each.id), parent: WHOLE }, each),
      addLeaf(fact, each, index),
      addFilter(fact.link, each, index),
    ]),
  ];
}

type Rates = Pick<TreeClass, "rateBits" | "ceilBits" | "burstBytes" | "order">;

function addClass(
  link: string,
  index: number,
  at: { readonly handle: number; readonly parent: number },
  { rateBits, ceilBits, burstBytes, order }: Rates,
): Request {
  const [rate, ceil] = [bytesOf(rateBits), bytesOf(ceilBits)];
  const options = htbOptions.put({
    parms: {
      linklayer: LINKLAYER_ETHERNET,
      rate: Math.min(rate, 0xffffffff),
      ceilLinklayer: LINKLAYER_ETHERNET,
      ceil: Math.min(ceil, 0xffffffff),
      buffer: ticksOf(burstBytes, rate),
      ceilBuffer: ticksOf(burstBytes, ceil),
      quantum: Math.min(Math.max(Math.floor(rate / 10), QUANTUM.least), QUANTUM.most),
      order,
    },
    ...(rate > 0xffffffff ? { rate64: BigInt(rate) } : {}),
    ...(ceil > 0xffffffff ? { ceil64: BigInt(ceil) } : {}),
  });
  return {
    what: `class add dev ${link} ${at.handle & 0xffff}`,
    type: RTM_CLASS.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: tcMessage.body({ index, ...at }, { kind: "htb", options }),
  };
}

/** A queue of bytes: the kernel's own choice counts packets, and only 32 on an ifb. */
function addLeaf(fact: TreeFact, each: TreeClass, index: number): Request {
  const to = writer();
  fifoOptions.write(to, { limit: limitOf(fact, each) });
  return {
    what: `qdisc add bfifo dev ${fact.link}`,
    type: RTM_QDISC.NEW,
    flags: NLM_F.CREATE | NLM_F.EXCL,
    body: tcMessage.body({ index, parent: classOf(each.id) }, { kind: "bfifo", options: to.bytes() }),
  };
}

function addFilter(link: string, { id, match }: TreeClass, index: number): Request {
  const options = u32Options.put({
    classId: classOf(id),
    selector: { flags: TC_U32_TERMINAL, keys: keysOf(match) },
  });
  return {
    what: `filter add dev ${link} class ${id}`,
    type: RTM_FILTER.NEW,
    flags: NLM_F.CREATE,
    body: tcMessage.body({ index, parent: HANDLE, info: infoOf(id) }, { kind: "u32", options }),
  };
}

/** The class's number is also the preference of its filter. */
const infoOf = (id: number): number => ((id << 16) | htons(ETH_P.all)) >>> 0;

/**
 * The Ethernet header lies before the network header: the destination 14 bytes, the source 8 bytes. Words of 4 bytes
 * hold 2 bytes of the one and 4 of the other.
 */
function keysOf({ field, mac }: TreeClass["match"]) {
  const view = viewOf(macToBytes(mac));
  return field === "source"
    ? [
        { mask: 0xffffffff, value: view.getUint32(0), at: -8 },
        { mask: 0xffff0000, value: (view.getUint16(4) << 16) >>> 0, at: -4 },
      ]
    : [
        { mask: 0x0000ffff, value: view.getUint16(0), at: -16 },
        { mask: 0xffffffff, value: view.getUint32(2), at: -12 },
      ];
}

export const removeTree = (fact: TreeFact, index: number): Request => ({
  what: `qdisc del htb dev ${fact.link}`,
  type: RTM_QDISC.DEL,
  flags: 0,
  body: tcMessage.body({ index, handle: HANDLE, parent: TC_H_ROOT }, { kind: "htb" }),
});

export const dumpClasses = (index: number): Request => ({
  what: `class list dev ${index}`,
  type: RTM_CLASS.GET,
  flags: 0,
  body: tcMessage.body({ index }),
});

export const dumpTreeFilters = (index: number): Request => ({
  what: `filter list dev ${index} htb`,
  type: RTM_FILTER.GET,
  flags: 0,
  body: tcMessage.body({ index, parent: HANDLE }),
});

/** The leaf of a class. As every queue it is answered as a notification, which comes back only when an echo is asked for. */
export const getLeaf = (index: number, id: number): Request => ({
  what: `qdisc get dev ${index} class ${id}`,
  type: RTM_QDISC.GET,
  flags: NLM_F.ECHO,
  body: tcMessage.body({ index, parent: classOf(id) }),
});

/** Ifindex of the link whose root queue is our tree; undefined for any other queue. @throws RangeError */
export function readTree(message: Message): number | undefined {
  const { head, attrs } = tcMessage.read(message.body);
  return attrs.kind === "htb" && head.handle === HANDLE && head.parent === TC_H_ROOT ? head.index : undefined;
}

export interface SeenClass {
  /** 1: that of the whole tree. */
  readonly id: number;
  readonly rateBytes: number;
  readonly ceilBytes: number;
  readonly ticks: number;
  readonly order: number;
}

/** Undefined for a class of another queue. @throws RangeError */
export function readClass(message: Message): SeenClass | undefined {
  const { head, attrs } = tcMessage.read(message.body);
  if (attrs.kind !== "htb" || head.handle >>> 16 !== HANDLE >>> 16 || attrs.options === undefined) return undefined;
  const { parms, rate64, ceil64 } = htbOptions.get(attrs.options);
  if (parms === undefined) return undefined;
  const { rate = 0, ceil = 0, buffer = 0, order = 0 } = parms;
  return {
    id: head.handle & 0xffff,
    rateBytes: rate64 === undefined ? rate : Number(rate64),
    ceilBytes: ceil64 === undefined ? ceil : Number(ceil64),
    ticks: buffer,
    order,
  };
}

/** Undefined for anything but the filter of a class. @throws RangeError */
export function readTreeFilter(
  message: Message,
): { readonly id: number; readonly match: TreeClass["match"] } | undefined {
  const { attrs } = tcMessage.read(message.body);
  if (attrs.kind !== "u32" || attrs.options === undefined) return undefined;
  const { classId, selector } = u32Options.get(attrs.options);
  const [first, second] = selector?.keys ?? [];
  if (classId === undefined || first === undefined || second === undefined) return undefined;
  const source = first.at === -8;
  const bytes = new Uint8Array(6);
  const view = viewOf(bytes);
  if (source) {
    view.setUint32(0, first.value);
    view.setUint16(4, second.value >>> 16);
  } else {
    view.setUint16(0, first.value);
    view.setUint32(2, second.value);
  }
  return { id: classId & 0xffff, match: { field: source ? "source" : "destination", mac: macFromBytes(bytes) as Mac } };
}

/** Bytes that a leaf holds; undefined for a queue that is not ours. @throws RangeError */
export function readLeaf(message: Message): number | undefined {
  const { attrs } = tcMessage.read(message.body);
  return attrs.kind === "bfifo" && attrs.options !== undefined ? fifoOptions.read(attrs.options).limit : undefined;
}

export interface SeenTree {
  readonly classes: readonly SeenClass[];
  readonly matches: ReadonlyMap<number, TreeClass["match"]>;
  /** Bytes of each class's leaf. */
  readonly limits: ReadonlyMap<number, number>;
}

/**
 * The kernel keeps bursts as time: what was wanted is reported when the kernel's numbers are those that it leads to,
 * else the nearest whole numbers. Undefined without a class for the whole.
 */
export function treeFact(seen: SeenTree, at: TreeFact["at"], link: string, want?: TreeFact): TreeFact | undefined {
  const whole = seen.classes.find(({ id }) => id === 1);
  if (whole === undefined) return undefined;
  const wanted = (id: number) => want?.classes.find((each) => each.id === id);
  const classes = seen.classes
    .filter(({ id }) => id !== 1)
    .toSorted((a, b) => a.id - b.id)
    .flatMap((each): TreeClass[] => {
      const match = seen.matches.get(each.id);
      if (match === undefined) return [];
      const { id, order } = each;
      const like = wanted(id);
      const rates = like !== undefined && isLike(like, each) ? like : ratesOf(each);
      const { rateBits, ceilBits, burstBytes } = rates;
      return [{ id, match, rateBits, ceilBits, burstBytes, order }];
    });
  const total =
    want !== undefined && isLike({ ...want, ceilBits: want.rateBits }, whole)
      ? { rateBits: want.rateBits, burstBytes: want.burstBytes }
      : { rateBits: ratesOf(whole).rateBits, burstBytes: ratesOf(whole).burstBytes };
  const asWanted = want?.classes.every((each) => seen.limits.get(each.id) === limitOf(want, each)) ?? false;
  const [first] = classes;
  const limit = first === undefined ? 0 : (seen.limits.get(first.id) ?? 0);
  const latencyUs =
    want !== undefined && asWanted
      ? want.latencyUs
      : first === undefined
        ? 0
        : Math.round(((limit - first.burstBytes) * 1e6) / bytesOf(first.ceilBits));
  return { type: "tree", at, link, ...total, latencyUs, classes };
}

function isLike(want: Pick<TreeClass, "rateBits" | "ceilBits" | "burstBytes">, seen: SeenClass): boolean {
  const rate = bytesOf(want.rateBits);
  return (
    rate === seen.rateBytes &&
    bytesOf(want.ceilBits) === seen.ceilBytes &&
    Math.abs(ticksOf(want.burstBytes, rate) - seen.ticks) <= 1
  );
}

const ratesOf = ({ rateBytes, ceilBytes, ticks }: SeenClass) => ({
  rateBits: rateBytes * 8,
  ceilBits: ceilBytes * 8,
  burstBytes: Math.round((ticks * TICK_NS * rateBytes) / 1e9),
});
