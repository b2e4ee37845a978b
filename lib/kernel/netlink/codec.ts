/** How one value lies in a netlink message. Byte order is in the name: `u32` is the host's, `be16` the network's. */
import { type Address, fromBytes, type Mac, macFromBytes, macToBytes, toBytes } from "#lib/address.ts";
import type { Writer } from "./writer.ts";

export interface Codec<T> {
  write(to: Writer, value: T): void;
  /** @throws RangeError when the bytes are not such a value */
  read(bytes: Uint8Array): T;
}

/** A value that always takes the same number of bytes, and so can be part of a structure. */
export interface Fixed<T> extends Codec<T> {
  readonly size: number;
  /** Reads where it lies in something larger, which saves a view of its own. @throws RangeError */
  readAt(view: DataView, at: number): T;
}

/** What a codec carries. */
export type Carried<C> = C extends Codec<infer T> ? T : never;

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function fixed<T>(
  size: number,
  put: (v: DataView, at: number, value: T) => void,
  get: (v: DataView, at: number) => T,
): Fixed<T> {
  return {
    size,
    write(to, value) {
      const at = to.reserve(size);
      put(to.view(), at, value);
    },
    read: (bytes) => get(viewOf(bytes), 0),
    readAt: get,
  };
}

export const u8 = fixed<number>(
  1,
  (v, at, n) => v.setUint8(at, n),
  (v, at) => v.getUint8(at),
);
export const u16 = fixed<number>(
  2,
  (v, at, n) => v.setUint16(at, n, true),
  (v, at) => v.getUint16(at, true),
);
export const be16 = fixed<number>(
  2,
  (v, at, n) => v.setUint16(at, n),
  (v, at) => v.getUint16(at),
);
export const u32 = fixed<number>(
  4,
  (v, at, n) => v.setUint32(at, n, true),
  (v, at) => v.getUint32(at, true),
);
export const s32 = fixed<number>(
  4,
  (v, at, n) => v.setInt32(at, n, true),
  (v, at) => v.getInt32(at, true),
);
export const be32 = fixed<number>(
  4,
  (v, at, n) => v.setUint32(at, n),
  (v, at) => v.getUint32(at),
);
export const u64 = fixed<bigint>(
  8,
  (v, at, n) => v.setBigUint64(at, n, true),
  (v, at) => v.getBigUint64(at, true),
);

/** Bytes as they are. */
export const raw: Codec<Uint8Array> = {
  write: (to, value) => to.put(value),
  read: (bytes) => bytes.slice(),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 that ends at the first NUL; one is written. */
export const text: Codec<string> = {
  write(to, value) {
    to.put(encoder.encode(value));
    to.reserve(1);
  },
  read(bytes) {
    const end = bytes.indexOf(0);
    return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
  },
};

/** An attribute without a value: its presence is the message. */
export const present: Codec<true> = { write: () => undefined, read: () => true };

/** 4 or 16 bytes. */
export const ip: Codec<Address> = {
  write: (to, value) => to.put(toBytes(value)),
  read(bytes) {
    if (bytes.length !== 4 && bytes.length !== 16) throw new RangeError(`an address of ${bytes.length} bytes`);
    return fromBytes(bytes);
  },
};

/** 6 bytes. */
export const ether: Codec<Mac> = {
  write: (to, value) => to.put(macToBytes(value)),
  read(bytes) {
    if (bytes.length !== 6) throw new RangeError(`a MAC address of ${bytes.length} bytes`);
    return macFromBytes(bytes);
  },
};
