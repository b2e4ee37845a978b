/** Bytes that grow while a message is written. Host byte order is little endian (amd64, arm64). */

export interface Writer {
  readonly length: number;
  /** Appends `length` zero bytes and returns their offset. */
  reserve(length: number): number;
  /** Zero bytes up to the next multiple of four (linux/netlink.h, NLMSG_ALIGN and NLA_ALIGN). */
  align(): void;
  /** The bytes so far; valid until the next write. Offsets are those that `reserve` returned. */
  view(): DataView;
  put(bytes: Uint8Array): void;
  /** A copy of everything written. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Everything written, in place: valid until the next write. */
  written(): Uint8Array<ArrayBuffer>;
  /** Begins anew in the same memory. */
  clear(): void;
}

export function writer(capacity = 512): Writer {
  let buffer = new Uint8Array(capacity);
  let view = new DataView(buffer.buffer);
  let length = 0;
  const reserve = (more: number): number => {
    const at = length;
    length += more;
    if (length > buffer.length) {
      const larger = new Uint8Array(Math.max(length, buffer.length * 2));
      larger.set(buffer);
      buffer = larger;
      view = new DataView(buffer.buffer);
    }
    buffer.fill(0, at, length);
    return at;
  };
  return {
    get length() {
      return length;
    },
    reserve,
    align: () => void reserve(-length & 3),
    view: () => view,
    put(bytes) {
      const at = reserve(bytes.length);
      buffer.set(bytes, at);
    },
    bytes: () => buffer.slice(0, length),
    written: () => buffer.subarray(0, length),
    clear() {
      length = 0;
    },
  };
}
