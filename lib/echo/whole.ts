/** Whether a packet of an exact size gets to another node without being cut: a question padded to it, answered in short. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Address, family } from "#lib/address.ts";
import { openWholeDatagrams } from "#native/whole-datagrams.ts";
import { decode, encode } from "./datagram.ts";

/** `too-large`: this node itself, or somebody on the way who says so, does not take it. `lost`: there is no answer. */
export type Passage = "passes" | "too-large" | "lost";

export interface WholeQuestion {
  readonly address: Address;
  readonly port: number;
  readonly uid: string;
  /** Of the whole IP packet. */
  readonly packetBytes: number;
  /** For each of the questions; the first answer ends the wait. */
  readonly patienceMs: number;
}

export type AskWhole = (question: WholeQuestion) => Promise<Passage>;

/** IP and UDP headers (RFC 791, RFC 8200, RFC 768). */
const HEADERS = { 4: 28, 6: 48 } as const;
/** One may get lost without being too large, and the first one may only teach this node of a narrow place. */
const QUESTIONS = 2;

/** @throws SelvedgeError kernel */
export async function askWhole({ address, port, uid, packetBytes, patienceMs }: WholeQuestion): Promise<Passage> {
  const of = family(address);
  const socket = createSocket({ type: of === 4 ? "udp4" : "udp6" });
  const nonce = randomBytes(8).readBigUInt64BE();
  const bytes = encode({ kind: "question", nonce, uid }, packetBytes - HEADERS[of]);
  const { promise, resolve } = Promise.withResolvers<Passage>();
  const onError = ({ code }: NodeJS.ErrnoException) => resolve(code === "EMSGSIZE" ? "too-large" : "lost");
  socket.on("error", onError);
  socket.on("message", (heard) => {
    const answer = decode(heard);
    if (answer?.kind === "answer" && answer.nonce === nonce) resolve("passes");
  });
  try {
    const bound = once(socket, "listening");
    socket.bind({ fd: openWholeDatagrams(of), exclusive: true });
    await bound;
    for (let asked = 0; asked < QUESTIONS; asked++) {
      socket.send(bytes, port, address, (error) => error && onError(error));
      const passage = await Promise.race([promise, pause(patienceMs)]);
      if (passage !== undefined) return passage;
    }
    return "lost";
  } finally {
    await new Promise<void>((closed) => socket.close(closed));
  }
}

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
