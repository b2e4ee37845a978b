/** Asking on the wire whether somebody holds an address, through packet sockets that stay in the pod's namespace. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, family, type Mac } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { closeBehind } from "#native/namespace.ts";
import { listenToLink, onReadable, openPacketSocket, receive, sendFrame } from "#native/socket.ts";
import type { Holder, Pace } from "../kernel.ts";
import { arpProbe, claimOf, duplicateProbe, ETH_P } from "./frame.ts";
import { linkByName, type Place } from "./place.ts";

/** What is looked at of a frame ends before this. */
const FRAME_BYTES = 128;

/** @throws SelvedgeError kernel (ENODEV: no such link in the pod) */
export async function probe(
  pod: Place,
  name: string,
  addresses: readonly Address[],
  { probes, intervalMs }: Pace,
): Promise<Holder[]> {
  const link = await linkByName(pod, name);
  if (link?.mac === undefined) throw refused(`link get ${name}`, ERRNO.ENODEV);
  const { index, mac } = link;
  const found = new Map<Address, Mac>();
  const answered = new AbortController();
  const hear = (frame: Uint8Array): void => {
    const claim = claimOf(frame);
    // An ipvlan shares its MAC with its neighbours; duplicates among those the kernel refuses by itself.
    if (claim === undefined || claim.mac === mac || !addresses.includes(claim.address)) return;
    found.set(claim.address, claim.mac);
    answered.abort();
  };
  const open: (() => void)[] = [];
  try {
    const of = (f: 4 | 6) => addresses.filter((address) => family(address) === f);
    const asking = [
      ...(of(4).length > 0 ? [{ etherType: ETH_P.arp, frames: of(4).map((a) => arpProbe(mac, a)) }] : []),
      ...(of(6).length > 0 ? [{ etherType: ETH_P.ipv6, frames: of(6).map((a) => duplicateProbe(mac, a)) }] : []),
    ].map(({ etherType, frames }) => {
      const fd = openPacketSocket(pod.netns);
      open.push(() => closeBehind(fd));
      listenToLink(fd, index, etherType);
      open.push(onReadable(fd, 0, () => drain(fd, hear)));
      return { fd, frames };
    });
    for (let sent = 0; sent < probes && found.size === 0; sent++) {
      for (const { fd, frames } of asking) for (const frame of frames) ask(fd, index, frame);
      await sleep(intervalMs, undefined, { signal: answered.signal }).catch(() => {});
    }
  } finally {
    // The watch on a descriptor ends before the descriptor.
    for (const close of open.reverse()) close();
  }
  return [...found].map(([address, by]) => ({ address, mac: by }));
}

/** A link whose carrier comes a moment later refuses the first probe; there are more. */
function ask(fd: number, index: number, frame: Uint8Array): void {
  try {
    sendFrame(fd, index, frame);
  } catch (error) {
    if (!isFailure(error, "kernel")) throw error;
  }
}

/** Reads everything that waits. */
function drain(fd: number, hear: (frame: Uint8Array) => void): void {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const length = receiveIfAny(fd, buffer);
    if (length === undefined) return;
    hear(buffer.subarray(0, Math.min(length, FRAME_BYTES)));
  }
}

function receiveIfAny(fd: number, buffer: Uint8Array): number | undefined {
  try {
    return receive(fd, buffer);
  } catch (error) {
    // Nothing waits, or the link went down under the socket (ENETDOWN, told once).
    if (isFailure(error, "kernel")) return undefined;
    throw error;
  }
}
