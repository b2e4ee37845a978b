/** One question by ICMP from a pod, and what becomes of it. */
import { randomInt } from "node:crypto";
import { family, fromBytes, toBytes } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { ERRNO } from "#native/libc.ts";
import { closeBehind } from "#native/namespace.ts";
import { openRawIcmp, receiveIcmp, sendFrom, sendIcmp } from "#native/raw-icmp.ts";
import { onReadable } from "#native/socket.ts";
import type { Ping, Pinged } from "../kernel.ts";
import { question, said } from "./icmp.ts";
import type { Place } from "./place.ts";

/** What is looked at of a message ends before this. */
const MESSAGE_BYTES = 2_048;
const MOST_ID = 0x1_0000;
/** No route, or the address that it should be sent from is not the pod's any more. */
const UNREACHABLE: ReadonlySet<number> = new Set([ERRNO.ENETUNREACH, ERRNO.EHOSTUNREACH, ERRNO.EADDRNOTAVAIL]);

/** @throws SelvedgeError kernel */
export async function ping(pod: Place, { from, to, hopLimit, packetBytes, patienceMs }: Ping): Promise<Pinged> {
  const of = family(to);
  const asked = { id: randomInt(MOST_ID), sequence: randomInt(MOST_ID) };
  const fd = openRawIcmp(pod.netns, of);
  const { promise, resolve } = Promise.withResolvers<Pinged>();
  const buffer = new Uint8Array(MESSAGE_BYTES);
  const beganUs = performance.now() * 1_000;
  const deaf = onReadable(fd, 0, () => {
    for (let heard = receiveIcmp(fd, of, buffer); heard !== undefined; heard = receiveIcmp(fd, of, buffer)) {
      const what = said(of, buffer.subarray(0, heard.length), asked);
      if (what === undefined) continue;
      resolve({ what, by: fromBytes(heard.from), rttUs: Math.round(performance.now() * 1_000 - beganUs) });
    }
  });
  const timer = setTimeout(() => resolve({ what: "lost" }), patienceMs);
  try {
    if (from !== undefined) sendFrom(fd, of, toBytes(from));
    sendIcmp(fd, of, toBytes(to), question(of, { ...asked, packetBytes }), hopLimit);
    return await promise;
  } catch (error) {
    if (!isFailure(error, "kernel")) throw error;
    const { errno } = error.failure;
    if (errno === ERRNO.EMSGSIZE) return { what: "too-large" };
    if (UNREACHABLE.has(errno)) return { what: "unreachable" };
    throw error;
  } finally {
    clearTimeout(timer);
    // The watch on a descriptor ends before the descriptor.
    deaf();
    closeBehind(fd);
  }
}
