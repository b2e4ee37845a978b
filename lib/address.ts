/**
 * Addresses, prefixes and MAC addresses: canonical strings with a brand, made only by the parsers here, so that
 * equality is `===` and a value can be stored, printed and compared as it is. IPv6 text follows RFC 5952.
 */
import { SelvedgeError } from "./errors.ts";

declare const brand: unique symbol;
/** `10.1.0.5` or `fd00::5`. */
export type Address = string & { readonly [brand]: "address" };
/** An address with a prefix length, host bits kept: `10.1.0.5/16`. As a destination: host bits zero. */
export type Prefix = string & { readonly [brand]: "prefix" };
/** `02:00:00:00:00:01`, lower case. */
export type Mac = string & { readonly [brand]: "mac" };
export type Family = 4 | 6;

const bad = (field: string, value: unknown, right: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field },
    `${field}: ${JSON.stringify(value) ?? String(value)} is not ${right}`,
  );

/** @throws SelvedgeError config-invalid naming `field` */
export function address(text: unknown, field = "address"): Address {
  const bytes = typeof text === "string" ? parseBytes(text) : undefined;
  if (bytes === undefined) throw bad(field, text, 'an IP address such as "10.1.0.5" or "fd00::5"');
  return fromBytes(bytes);
}

/** Parses `a/n`. Host bits are kept. @throws SelvedgeError config-invalid naming `field` */
export function prefix(text: unknown, field = "prefix"): Prefix {
  if (typeof text === "string") {
    const slash = text.indexOf("/");
    const bytes = slash > 0 ? parseBytes(text.slice(0, slash)) : undefined;
    const digits = text.slice(slash + 1);
    if (bytes !== undefined && /^(0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= bytes.length * 8)
      return `${fromBytes(bytes)}/${digits}` as Prefix;
  }
  throw bad(field, text, 'an address with a prefix length such as "10.1.0.5/16" or "fd00::5/64"');
}

/** @throws SelvedgeError config-invalid naming `field` */
export function mac(text: unknown, field = "mac"): Mac {
  if (typeof text === "string" && /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) {
    const canonical = text.toLowerCase().replaceAll("-", ":");
    if ((Number.parseInt(canonical.slice(0, 2), 16) & 1) === 0 && canonical !== "00:00:00:00:00:00")
      return canonical as Mac;
  }
  throw bad(field, text, 'a unicast MAC address such as "02:00:00:00:00:01"');
}

export const family = (of: Address | Prefix): Family => (of.includes(":") ? 6 : 4);
/** How long an address is. */
export const bitsOf = (f: Family): 32 | 128 => (f === 4 ? 32 : 128);
export const addressOf = (p: Prefix): Address => p.slice(0, p.indexOf("/")) as Address;
/** Without the prefix length, if there is one. */
export const bare = (of: Address | Prefix): Address => (of.includes("/") ? addressOf(of as Prefix) : (of as Address));
export const lengthOf = (p: Prefix): number => Number(p.slice(p.indexOf("/") + 1));
export const withLength = (a: Address, length: number): Prefix => `${a}/${length}` as Prefix;
/** `a/32` or `a/128`. */
export const hostPrefix = (a: Address): Prefix => withLength(a, bitsOf(family(a)));
export const anyPrefix = (f: Family): Prefix => (f === 4 ? "0.0.0.0/0" : "::/0") as Prefix;

/** The network of a prefix: host bits zero. */
export function networkOf(p: Prefix): Prefix {
  const length = lengthOf(p);
  const f = family(p);
  const hostBits = BigInt(bitsOf(f) - length);
  return withLength(fromNumber((toNumber(addressOf(p)) >> hostBits) << hostBits, f), length);
}

/** First and last address of the prefix's network, as numbers. */
export function rangeOf(p: Prefix): { first: bigint; last: bigint } {
  const hostBits = BigInt(bitsOf(family(p)) - lengthOf(p));
  const first = (toNumber(addressOf(p)) >> hostBits) << hostBits;
  return { first, last: first + (1n << hostBits) - 1n };
}

export function contains(p: Prefix, a: Address): boolean {
  if (family(p) !== family(a)) return false;
  const { first, last } = rangeOf(p);
  const n = toNumber(a);
  return n >= first && n <= last;
}

const UNIQUE_LOCAL = "fc00::/7" as Prefix;

/** IPv6 that is routed nowhere outside (RFC 4193). */
export const isUniqueLocal = (p: Prefix): boolean => contains(UNIQUE_LOCAL, addressOf(p));

export function toNumber(a: Address): bigint {
  let n = 0n;
  for (const byte of toBytes(a)) n = (n << 8n) | BigInt(byte);
  return n;
}

export function fromNumber(n: bigint, f: Family): Address {
  const bytes = new Uint8Array(f === 4 ? 4 : 16);
  for (let i = bytes.length - 1; i >= 0; i--, n >>= 8n) bytes[i] = Number(n & 255n);
  return fromBytes(bytes);
}

/** 4 or 16 bytes in network order. By hand: an ADD needs a dozen, and the library takes longer than the kernel. */
export function toBytes(a: Address): Uint8Array {
  if (!a.includes(":")) return Uint8Array.from(a.split("."), Number);
  const bytes = new Uint8Array(16);
  const gap = a.indexOf("::");
  const before = gap < 0 ? a : a.slice(0, gap);
  if (before !== "") putGroups(bytes, 0, before.split(":"));
  const after = gap < 0 ? "" : a.slice(gap + 2);
  const groups = after === "" ? [] : after.split(":");
  putGroups(bytes, 8 - groups.length, groups);
  return bytes;
}

function putGroups(bytes: Uint8Array, first: number, groups: readonly string[]): void {
  for (const [i, hex] of groups.entries()) {
    const n = Number.parseInt(hex, 16);
    bytes[2 * (first + i)] = n >> 8;
    bytes[2 * (first + i) + 1] = n & 0xff;
  }
}

/** 4 or 16 bytes in network order to canonical text: RFC 5952 section 4, the first longest run of zero groups is `::`. */
export function fromBytes(bytes: Uint8Array): Address {
  if (bytes.length === 4) return bytes.join(".") as Address;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [from, length] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [from, length] = [i, end - i];
  }
  const text = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups) as Address;
  return `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}` as Address;
}

export const macToBytes = (m: Mac): Uint8Array => Uint8Array.from(m.split(":"), (pair) => Number.parseInt(pair, 16));

export const macFromBytes = (bytes: Uint8Array): Mac =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac;

/** Bytes of an address in any accepted spelling; undefined when it is none. No zone, no prefix length. */
function parseBytes(text: string): Uint8Array | undefined {
  const quad = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (quad !== null) {
    const bytes = Uint8Array.from(quad.slice(1), Number);
    const exact = quad.slice(1).every((digits) => String(Number(digits)) === digits && Number(digits) <= 255);
    return exact ? bytes : undefined;
  }
  if (!text.includes(":") || !/^[0-9a-f:.]+$/i.test(text)) return undefined;
  // The URL parser that every runtime has (WHATWG URL, 3.5 "IPv6 parser"): a library would be loaded at every start of
  // the plugin, for a millisecond or two.
  const host = URL.parse(`http://[${text}]`)?.hostname;
  return host === undefined ? undefined : toBytes(host.slice(1, -1) as Address);
}
