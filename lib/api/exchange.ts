/**
 * One unary gRPC call on a fresh HTTP/2 connection, as bytes in and bytes out (RFC 9113; gRPC's PROTOCOL-HTTP2.md).
 * Knows nothing of sockets and clocks.
 */
import { decodeHeaders, encodeHeaders } from "./hpack.ts";
import { concat } from "./message.ts";

export type Outcome =
  /** gRPC status 0 and the message. */
  | { kind: "reply"; message: Uint8Array }
  /** Another status of grpc/doc/statuscodes.md. */
  | { kind: "status"; status: number; message: string }
  /** The connection or the stream ended before a status came. */
  | { kind: "broken"; why: string };

export interface Call {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly message: Uint8Array;
  readonly timeoutMs: number;
}

/** RFC 9113, section 6. */
const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 32;
/** The one stream of this connection. */
const STREAM = 1;
/** What both sides start with (section 6.9.2), and the largest window there is (section 6.9.1). */
const WINDOW = 65_535;
const MAX_WINDOW = 0x7fff_ffff;
/** No reply of ours is larger; a peer that sends more is broken. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** SETTINGS_HEADER_TABLE_SIZE, ENABLE_PUSH, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE (section 6.5.2). */
const SETTING = { headerTableSize: 1, enablePush: 2, initialWindow: 4, maxFrame: 5 } as const;
const UNKNOWN = 2;
const UNIMPLEMENTED = 12;

/**
 * `start` is what to send first. `receive` takes what arrived and gives what to send; once `outcome` is set, it is
 * final and the connection can be closed.
 */
export function exchange(call: Call) {
  const unsent = { message: framed(call.message), at: 0 };
  const window = { connection: WINDOW, stream: WINDOW, initial: WINDOW, frame: 16_384 };
  const reply: Uint8Array[] = [];
  let replyBytes = 0;
  let buffer: Uint8Array = new Uint8Array();
  let block: { parts: Uint8Array[]; ends: boolean } | undefined;
  /** The response headers, not decoded: without a dynamic table they matter only when there are no trailers. */
  let first: Uint8Array = new Uint8Array();
  let outcome: Outcome | undefined;

  const start = concat([
    ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(FRAME.SETTINGS, 0, 0, settings()),
    frame(FRAME.WINDOW_UPDATE, 0, 0, be32(MAX_WINDOW - WINDOW)),
    frame(FRAME.HEADERS, END_HEADERS, STREAM, requestHeaders(call)),
    ...data(),
  ]);

  /** As much of the message as the peer's windows allow now. */
  function data(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    while (unsent.at < unsent.message.length) {
      const room = Math.min(window.connection, window.stream, window.frame);
      if (room <= 0) break;
      const part = unsent.message.subarray(unsent.at, unsent.at + room);
      unsent.at += part.length;
      window.connection -= part.length;
      window.stream -= part.length;
      frames.push(frame(FRAME.DATA, unsent.at === unsent.message.length ? END_STREAM : 0, STREAM, part));
    }
    return frames;
  }

  function receive(chunk: Uint8Array): Uint8Array {
    buffer = buffer.length === 0 ? chunk.slice() : concat([buffer, chunk]);
    const answers: Uint8Array[] = [];
    try {
      while (outcome === undefined && buffer.length >= 9) {
        const length = be24(buffer, 0);
        if (length > 16_384) throw new RangeError(`frame of ${length} bytes, more than was allowed`);
        if (buffer.length < 9 + length) break;
        const [type = 0, flags = 0] = [buffer[3], buffer[4]];
        const payload = buffer.subarray(9, 9 + length);
        answers.push(...handle(type, flags, read32(buffer, 5) & MAX_WINDOW, payload));
        buffer = buffer.subarray(9 + length);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      outcome = { kind: "broken", why: `not HTTP/2 as agreed: ${error.message}` };
    }
    return concat(answers);
  }

  function handle(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array[] {
    if (block !== undefined && type !== FRAME.CONTINUATION) throw new RangeError("header block is interrupted");
    switch (type) {
      case FRAME.SETTINGS:
        if ((flags & ACK) !== 0) return [];
        return [...applySettings(payload), frame(FRAME.SETTINGS, ACK, 0, new Uint8Array())];
      case FRAME.PING:
        return (flags & ACK) !== 0 ? [] : [frame(FRAME.PING, ACK, 0, payload)];
      case FRAME.WINDOW_UPDATE:
        if (stream === 0) window.connection += read32(payload, 0) & MAX_WINDOW;
        else window.stream += read32(payload, 0) & MAX_WINDOW;
        return data();
      case FRAME.GOAWAY:
        if ((read32(payload, 0) & MAX_WINDOW) < STREAM) broken(`the server goes away (error ${read32(payload, 4)})`);
        return [];
      case FRAME.RST_STREAM:
        broken(`the server reset the call (error ${read32(payload, 0)})`);
        return [];
      case FRAME.DATA:
        receiveData(unpadded(payload, flags));
        if ((flags & END_STREAM) !== 0) finish(first);
        return [];
      case FRAME.HEADERS: {
        const fragment = unpadded(payload, flags).subarray((flags & PRIORITY) !== 0 ? 5 : 0);
        block = { parts: [fragment], ends: (flags & END_STREAM) !== 0 };
        return endOfBlock(flags);
      }
      case FRAME.CONTINUATION:
        if (block === undefined) throw new RangeError("continuation of nothing");
        block.parts.push(payload);
        return endOfBlock(flags);
      case FRAME.PUSH_PROMISE:
        throw new RangeError("pushed although told not to");
      default:
        return []; // section 4.1: unknown types are ignored
    }
  }

  function endOfBlock(flags: number): Uint8Array[] {
    if (block === undefined || (flags & END_HEADERS) === 0) return [];
    const { parts, ends } = block;
    block = undefined;
    if (ends) finish(concat(parts));
    else first = concat(parts);
    return [];
  }

  function applySettings(payload: Uint8Array): Uint8Array[] {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      const value = read32(payload, at + 2);
      const id = (payload[at] ?? 0) * 256 + (payload[at + 1] ?? 0);
      if (id === SETTING.maxFrame) window.frame = value;
      if (id !== SETTING.initialWindow) continue;
      window.stream += value - window.initial;
      window.initial = value;
    }
    return data();
  }

  function receiveData(bytes: Uint8Array): void {
    replyBytes += bytes.length;
    if (replyBytes > MAX_REPLY_BYTES) throw new RangeError("the reply is too large");
    reply.push(bytes);
  }

  /** PROTOCOL-HTTP2.md, "Responses": what counts is grpc-status; HTTP's status only where that is missing. */
  function finish(trailers: Uint8Array): void {
    const headers = decodeHeaders(trailers);
    const status = headers.get("grpc-status");
    if (status === undefined) {
      const http = headers.get(":status") ?? decodeHeaders(first).get(":status") ?? "none";
      outcome = http === "200" ? { kind: "broken", why: "no gRPC status came" } : notGrpc(http);
    } else if (status === "0") {
      outcome = unframed(concat(reply));
    } else {
      const number = /^\d{1,3}$/.test(status) ? Number(status) : UNKNOWN;
      outcome = { kind: "status", status: number, message: percentDecoded(headers.get("grpc-message") ?? "") };
    }
  }

  function broken(why: string): void {
    outcome ??= { kind: "broken", why };
  }

  return {
    start,
    receive,
    /** The connection ended. */
    closed: (why: string): void => broken(why),
    get outcome(): Outcome | undefined {
      return outcome;
    },
  };
}

function requestHeaders({ path, timeoutMs }: Call): Uint8Array {
  return encodeHeaders([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ["user-agent", "selvedge"],
    // at most eight digits (PROTOCOL-HTTP2.md, "Timeout")
    ["grpc-timeout", `${Math.min(Math.max(Math.ceil(timeoutMs), 1), 99_999_999)}m`],
  ]);
}

function settings(): Uint8Array {
  const pairs = [
    [SETTING.headerTableSize, 0],
    [SETTING.enablePush, 0],
    [SETTING.initialWindow, MAX_WINDOW],
  ] as const;
  return concat(pairs.flatMap(([id, value]) => [Uint8Array.of(0, id), be32(value)]));
}

const notGrpc = (http: string): Outcome => ({ kind: "status", status: UNIMPLEMENTED, message: `HTTP status ${http}` });

/** A message with its prefix: not compressed, length. */
const framed = (message: Uint8Array): Uint8Array => concat([Uint8Array.of(0), be32(message.length), message]);

function unframed(bytes: Uint8Array): Outcome {
  if (bytes.length < 5 || bytes[0] !== 0 || read32(bytes, 1) !== bytes.length - 5)
    return { kind: "broken", why: "the reply is not one plain message" };
  return { kind: "reply", message: bytes.subarray(5) };
}

function unpadded(payload: Uint8Array, flags: number): Uint8Array {
  if ((flags & PADDED) === 0) return payload;
  const padding = payload[0] ?? 0;
  if (1 + padding > payload.length) throw new RangeError("more padding than payload");
  return payload.subarray(1, payload.length - padding);
}

/** grpc-message is percent-encoded UTF-8; what does not decode is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const length = be32(payload.length).subarray(1);
  return concat([length, Uint8Array.of(type, flags), be32(stream), payload]);
}

const be32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const be24 = (b: Uint8Array, at: number): number => read32(b, at) >>> 8;
/** @throws RangeError beyond the end */
function read32(b: Uint8Array, at: number): number {
  const [b0, b1, b2, b3] = b.subarray(at, at + 4);
  if (b3 === undefined) throw new RangeError("frame ends early");
  return (((b0 ?? 0) << 24) | ((b1 ?? 0) << 16) | ((b2 ?? 0) << 8) | b3) >>> 0;
}
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
