/** Telling the neighbours of addresses that have just come to a link. */
import { addressOf, family } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { AddressFact, Fact } from "#lib/state/fact.ts";
import { closeBehind } from "#native/namespace.ts";
import { openPacketSocket, sendFrame } from "#native/socket.ts";
import { gratuitousArp, unsolicitedNa } from "./frame.ts";
import type { Known } from "./known.ts";
import type { Place } from "./place.ts";

/** Best effort: a link without a carrier refuses, and its neighbours can have learnt nothing wrong. @throws SelvedgeError kernel */
export function announceAddresses(place: Place, facts: readonly Fact[], known: Known): void {
  const told = facts.filter((fact): fact is AddressFact => fact.type === "address" && fact.announce === true);
  if (told.length === 0) return;
  const fd = openPacketSocket(place.netns);
  try {
    for (const fact of told) {
      const wanted = facts.find((other) => other.type === "link" && other.name === fact.link);
      const mac = (wanted?.type === "link" ? wanted.mac : undefined) ?? known.seen(fact.link)?.mac;
      if (mac === undefined) continue;
      const frame = family(fact.address) === 4 ? gratuitousArp : unsolicitedNa;
      send(fd, known.index(fact.link), frame(mac, addressOf(fact.address)));
    }
  } finally {
    closeBehind(fd);
  }
}

function send(fd: number, index: number, bytes: Uint8Array): void {
  try {
    sendFrame(fd, index, bytes);
  } catch (error) {
    if (!isFailure(error, "kernel")) throw error;
  }
}
