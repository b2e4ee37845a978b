/**
 * Parts of keys and data of set elements: canonical text to the bytes that nftables keeps, and back.
 * A part of a concatenation is padded to a multiple of 4 bytes (net/netfilter/nf_tables_api.c, register slots); a part
 * that stands alone is not. Numbers are in network byte order, but for classid and mark.
 */
import { type Address, address, fromBytes, type Mac, macFromBytes, macToBytes, toBytes } from "#lib/address.ts";
import type { PartType } from "#lib/state/sets.ts";
import { viewOf } from "../netlink/codec.ts";

interface PartCodec {
  readonly length: number;
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

/** linux/in.h */
const PROTOCOL: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };

const bad = (text: string, type: PartType): TypeError => new TypeError(`${JSON.stringify(text)} is no ${type}`);

/** A whole number below `limit`, in decimal digits. */
function number(text: string, limit: number, type: PartType): number {
  const n = /^(0|[1-9]\d{0,4})$/.test(text) ? Number(text) : limit;
  if (n >= limit) throw bad(text, type);
  return n;
}

const ip = (type: "ipv4_addr" | "ipv6_addr", length: number): PartCodec => ({
  length,
  encode(text) {
    const bytes = toBytes(text as Address);
    if (bytes.length !== length) throw bad(text, type);
    return bytes;
  },
  decode: (bytes) => address(fromBytes(bytes)),
});

const PARTS: Readonly<Record<PartType, PartCodec>> = {
  ifname: {
    length: 16,
    encode(text) {
      const name = new TextEncoder().encode(text);
      if (name.length === 0 || name.length > 15) throw bad(text, "ifname");
      const bytes = new Uint8Array(16);
      bytes.set(name);
      return bytes;
    },
    decode(bytes) {
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    },
  },
  ether_addr: {
    length: 6,
    encode(text) {
      if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text)) throw bad(text, "ether_addr");
      return macToBytes(text as Mac);
    },
    decode: macFromBytes,
  },
  ipv4_addr: ip("ipv4_addr", 4),
  ipv6_addr: ip("ipv6_addr", 16),
  inet_proto: {
    length: 1,
    encode: (text) => Uint8Array.of(PROTOCOL[text] ?? number(text, 256, "inet_proto")),
    decode: ([n = 0]) => Object.keys(PROTOCOL).find((name) => PROTOCOL[name] === n) ?? String(n),
  },
  inet_service: {
    length: 2,
    encode(text) {
      const n = number(text, 65_536, "inet_service");
      return Uint8Array.of(n >> 8, n & 255);
    },
    decode: ([high = 0, low = 0]) => String(high * 256 + low),
  },
  vlan_id: {
    length: 2,
    encode(text) {
      const n = number(text, 4_095, "vlan_id");
      return Uint8Array.of(n >> 8, n & 255);
    },
    decode: ([high = 0, low = 0]) => String(high * 256 + low),
  },
  /** Of skb->priority: major and minor number in hexadecimal, in the host's byte order. */
  classid: {
    length: 4,
    encode(text) {
      const [, major = "", minor = ""] = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? [];
      if (minor === "") throw bad(text, "classid");
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, Number.parseInt(major, 16) * 0x10000 + Number.parseInt(minor, 16), true);
      return bytes;
    },
    decode(bytes) {
      const n = viewOf(bytes).getUint32(0, true);
      return `${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}`;
    },
  },
  /** In the host's byte order. */
  mark: {
    length: 4,
    encode(text) {
      if (!/^0x[0-9a-f]{1,8}$/.test(text)) throw bad(text, "mark");
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, Number(text), true);
      return bytes;
    },
    decode: (bytes) => `0x${viewOf(bytes).getUint32(0, true).toString(16)}`,
  },
};

const padded = (length: number): number => (length + 3) & ~3;

/** Bytes of a key or of data with parts of these types; alone they are not padded. */
export function lengthOfParts(types: readonly PartType[]): number {
  const [only] = types;
  if (types.length === 1 && only !== undefined) return PARTS[only].length;
  return types.reduce((sum, type) => sum + padded(PARTS[type].length), 0);
}

/** @throws TypeError when the texts are not as many as the types, or one is not of its type */
export function encodeParts(types: readonly PartType[], texts: readonly string[]): Uint8Array {
  if (types.length !== texts.length) throw new TypeError(`${texts.join(" . ")} is no ${types.join(" . ")}`);
  const bytes = new Uint8Array(lengthOfParts(types));
  let at = 0;
  types.forEach((type, i) => {
    bytes.set(PARTS[type].encode(texts[i] ?? ""), at);
    at += padded(PARTS[type].length);
  });
  return bytes;
}

/** @throws RangeError when the bytes are not as many as the types take */
export function decodeParts(types: readonly PartType[], bytes: Uint8Array): string[] {
  if (bytes.length < lengthOfParts(types)) throw new RangeError(`${bytes.length} bytes for ${types.join(" . ")}`);
  let at = 0;
  return types.map((type) => {
    const { length, decode } = PARTS[type];
    const text = decode(bytes.subarray(at, at + length));
    at += padded(length);
    return text;
  });
}
