/**
 * Netlink messages: linux/netlink.h, struct nlmsghdr (v6.12). A request is a value; many travel in one datagram.
 */
import { type Attrs, type AttrTable, type AttrValues, attrs } from "./attr.ts";
import { s32, text, u32, viewOf } from "./codec.ts";
import type { Struct, StructTable, StructValues } from "./struct.ts";
import { type Writer, writer } from "./writer.ts";

/** linux/netlink.h (v6.12) */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  ECHO: 0x8,
  DUMP_INTR: 0x10,
  CAPPED: 0x100,
  ACK_TLVS: 0x200,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  DUMP: 0x300,
} as const;
export const NLMSG = { ERROR: 2, DONE: 3 } as const;
const HEADER_BYTES = 16;

/** What the kernel is asked for. `what` is how an error names it: `link add eth0`. */
export interface Request {
  readonly what: string;
  readonly type: number;
  /** Beyond NLM_F_REQUEST, which every request carries. */
  readonly flags: number;
  readonly body: Uint8Array;
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the socket whose request this answers or, in a notification, caused it. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** A fixed header and the attributes behind it: what most families of messages are. */
export interface Layout<H extends StructTable, A extends AttrTable> {
  readonly attrs: Attrs<A>;
  body(head: Partial<StructValues<H>>, values?: AttrValues<A>): Uint8Array;
  /** @throws RangeError */
  read(body: Uint8Array): { readonly head: StructValues<H>; readonly attrs: AttrValues<A> };
}

/** Memory for `body`, which never runs within another. */
const scratch = writer();

export function layout<H extends StructTable, A extends AttrTable>(
  head: Struct<H>,
  attributes: Attrs<A>,
): Layout<H, A> {
  const aligned = (head.size + 3) & ~3;
  return {
    attrs: attributes,
    body(values, attrValues) {
      scratch.clear();
      head.write(scratch, values);
      scratch.align();
      if (attrValues !== undefined) attributes.write(scratch, attrValues);
      return scratch.bytes();
    },
    read: (body) => ({ head: head.read(body), attrs: attributes.read(body.subarray(aligned)) }),
  };
}

/** Appends one message. */
export function writeMessage(to: Writer, request: Request, sequence: number, moreFlags = 0): void {
  const at = to.reserve(HEADER_BYTES);
  to.put(request.body);
  const view = to.view();
  view.setUint32(at, to.length - at, true);
  view.setUint16(at + 4, request.type, true);
  view.setUint16(at + 6, request.flags | NLM_F.REQUEST | moreFlags, true);
  view.setUint32(at + 8, sequence, true);
  to.align();
}

/** The messages of one datagram; bodies point into `bytes`. @throws RangeError when a length leads outside */
export function* eachMessage(bytes: Uint8Array): Generator<Message> {
  const view = viewOf(bytes);
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length)
      throw new RangeError(`message of ${length} bytes at ${at} of ${bytes.length}`);
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      body: bytes.subarray(at + HEADER_BYTES, at + length),
    };
    at += (length + 3) & ~3;
  }
}

/** linux/netlink.h, enum nlmsgerr_attrs (v6.12) */
const errorAttrs = attrs({ text: [1, text], offset: [2, u32], missingType: [5, u32] });

export interface ErrorReport {
  /** Positive number of errno.h; 0 is an acknowledgement. */
  readonly code: number;
  /** What the kernel says beyond the number (extended ACK). */
  readonly text: string | undefined;
}

/** Reads struct nlmsgerr and what follows it. @throws RangeError */
export function readError(message: Message): ErrorReport {
  const code = -s32.read(message.body);
  if ((message.flags & NLM_F.ACK_TLVS) === 0) return { code, text: undefined };
  const embedded = (message.flags & NLM_F.CAPPED) === 0 ? (u32.read(message.body.subarray(4)) + 3) & ~3 : HEADER_BYTES;
  return { code, text: errorAttrs.get(message.body.subarray(4 + embedded)).text };
}

/** Network order of a 16-bit number as the host reads it: what `tcm_info` wants of a protocol. */
export const htons = (n: number): number => ((n & 0xff) << 8) | (n >> 8);
