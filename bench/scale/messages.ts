/** Messages of gRPC in one direction of an HTTP/2 connection, counted as its bytes pass by. */

export interface MessageCounter {
  /** @returns how many messages begin in these bytes, which are the next of the connection */
  take(bytes: Uint8Array): number;
}

/** RFC 9113 section 3.4: what a client sends before its first frame, bytes. */
const PREFACE = 24;
/** RFC 9113 section 4.1. */
const FRAME_HEAD = 9;
const DATA = 0;
/** gRPC over HTTP/2, Length-Prefixed-Message: a flag and a length of four bytes. */
const MESSAGE_HEAD = 5;

/** Without padding and compressed lengths of its own, as gRPC's implementations send it. */
export function messageCounter(from: "client" | "server"): MessageCounter {
  let skip = from === "client" ? PREFACE : 0;
  let head: number[] = [];
  /** Of the frame that is passing. */
  let left = 0;
  let stream = 0;
  let isData = false;
  /** By stream: what is still to come of its message, and what was seen of the next one's head. */
  const open = new Map<number, { body: number; head: number[] }>();

  const payload = (bytes: Uint8Array): number => {
    const of = open.get(stream) ?? { body: 0, head: [] };
    open.set(stream, of);
    let begun = 0;
    for (let at = 0; at < bytes.length; ) {
      if (of.body > 0) {
        const some = Math.min(of.body, bytes.length - at);
        of.body -= some;
        at += some;
        continue;
      }
      if (of.head.length === 0) begun += 1;
      of.head.push(bytes[at++] ?? 0);
      if (of.head.length < MESSAGE_HEAD) continue;
      of.body = numberIn(of.head, 1, 4);
      of.head = [];
    }
    return begun;
  };

  return {
    take(bytes) {
      let begun = 0;
      for (let at = 0; at < bytes.length; ) {
        if (skip > 0) {
          const some = Math.min(skip, bytes.length - at);
          skip -= some;
          at += some;
        } else if (left > 0) {
          const some = bytes.subarray(at, at + left);
          if (isData) begun += payload(some);
          left -= some.length;
          at += some.length;
        } else {
          head.push(bytes[at++] ?? 0);
          if (head.length < FRAME_HEAD) continue;
          left = numberIn(head, 0, 3);
          isData = head[3] === DATA;
          stream = numberIn(head, 5, 4) & 0x7fff_ffff;
          head = [];
        }
      }
      return begun;
    },
  };
}

/** In network order. */
const numberIn = (bytes: readonly number[], at: number, length: number): number =>
  bytes.slice(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
