/**
 * The echo's datagrams, 80 bytes or more: "SVGE", a byte that tells question from answer, three of nothing, the nonce, and the uid of
 * the node that is asked, padded with zeros. An answer is the question with the other byte, as long as the shortest
 * question, so nobody gets more than was sent.
 */
export interface Datagram {
  readonly kind: "question" | "answer";
  /** 64 random bits: who has not seen the question cannot answer. */
  readonly nonce: bigint;
  /** Of the node that is asked: another one that has its address now does not answer. */
  readonly uid: string;
}

const MAGIC = Buffer.from("SVGE");
const KINDS = { question: 1, answer: 2 } as const;
const UID_AT = 16;
/** A uid is at most so long, bytes. */
const LONGEST_UID = 64;
export const SHORTEST = UID_AT + LONGEST_UID;

/** @param sizeBytes of the whole datagram; at least `SHORTEST` */
export function encode({ kind, nonce, uid }: Datagram, sizeBytes = SHORTEST): Buffer {
  const bytes = Buffer.alloc(Math.max(sizeBytes, SHORTEST));
  MAGIC.copy(bytes);
  bytes.writeUInt8(KINDS[kind], 4);
  bytes.writeBigUInt64BE(nonce, 8);
  bytes.write(uid, UID_AT, LONGEST_UID);
  return bytes;
}

/** Undefined for what is no datagram of ours. */
export function decode(bytes: Uint8Array): Datagram | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < SHORTEST || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const kind = buffer[4] === KINDS.question ? "question" : buffer[4] === KINDS.answer ? "answer" : undefined;
  if (kind === undefined) return undefined;
  const uid = buffer.subarray(UID_AT, UID_AT + LONGEST_UID);
  const end = uid.indexOf(0);
  return { kind, nonce: buffer.readBigUInt64BE(8), uid: uid.toString("utf8", 0, end < 0 ? LONGEST_UID : end) };
}
