/** ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443) as bytes: questions, and what may come back of them. */
import type { Family } from "#lib/address.ts";
import { checksum } from "./checksum.ts";

const HEADER = 8;
/** IP header without options (RFC 791), IPv6 header (RFC 8200). */
const IP_HEADER = { 4: 20, 6: 40 } as const;

/** What a message says of a question. */
export type Said = "answered" | "exceeded" | "unreachable" | "too-large";

const TYPES = {
  4: { question: 8, answer: 0, exceeded: 11, unreachable: 3, tooLarge: undefined },
  6: { question: 128, answer: 129, exceeded: 3, unreachable: 1, tooLarge: 2 },
} as const;
/** "Fragmentation needed and DF set" among the reasons of IPv4. */
const TOO_LARGE_CODE = 4;

export interface Question {
  readonly id: number;
  readonly sequence: number;
  /** Of the whole IP packet. */
  readonly packetBytes: number;
}

/** The kernel fills in the checksum of ICMPv6 by itself. */
export function question(of: Family, { id, sequence, packetBytes }: Question): Uint8Array {
  const bytes = new Uint8Array(Math.max(HEADER, packetBytes - IP_HEADER[of]));
  const view = new DataView(bytes.buffer);
  bytes[0] = TYPES[of].question;
  view.setUint16(4, id);
  view.setUint16(6, sequence);
  if (of === 4) view.setUint16(2, checksum(bytes));
  return bytes;
}

/** What a message says of the question with that id and sequence; undefined: nothing. */
export function said(
  of: Family,
  message: Uint8Array,
  { id, sequence }: Omit<Question, "packetBytes">,
): Said | undefined {
  const icmp = of === 4 ? message.subarray(((message[0] ?? 0) & 15) * 4) : message;
  const [type, code] = icmp;
  const types = TYPES[of];
  if (type === types.answer) return isOf(icmp, { id, sequence }) ? "answered" : undefined;
  const what = complaint(of, type, code);
  if (what === undefined) return undefined;
  // A complaint holds the beginning of the packet that it is about.
  const quoted = icmp.subarray(HEADER);
  const inner = quoted.subarray(of === 4 ? ((quoted[0] ?? 0) & 15) * 4 : IP_HEADER[6]);
  return inner[0] === types.question && isOf(inner, { id, sequence }) ? what : undefined;
}

function complaint(of: Family, type: number | undefined, code: number | undefined): Said | undefined {
  const { exceeded, unreachable, tooLarge } = TYPES[of];
  if (type === exceeded) return "exceeded";
  if (type === tooLarge && tooLarge !== undefined) return "too-large";
  if (type !== unreachable) return undefined;
  return of === 4 && code === TOO_LARGE_CODE ? "too-large" : "unreachable";
}

function isOf(icmp: Uint8Array, { id, sequence }: Omit<Question, "packetBytes">): boolean {
  if (icmp.length < HEADER) return false;
  const view = new DataView(icmp.buffer, icmp.byteOffset, icmp.length);
  return view.getUint16(4) === id && view.getUint16(6) === sequence;
}
