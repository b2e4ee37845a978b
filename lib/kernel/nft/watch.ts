/** Hears of changes that somebody else makes to our tables. */
import { isFailure } from "#lib/errors.ts";
import { ERRNO } from "#native/libc.ts";
import { closeDescriptor } from "#native/namespace.ts";
import { NETLINK_NETFILTER, onReadable, openNetlink, receive, setSocketOption } from "#native/socket.ts";
import { bindByNothing } from "../netlink/bind.ts";
import { eachMessage, type Message } from "../netlink/message.ts";
import type { Generations } from "./generation.ts";
import { generation, inTable, messageType, NFPROTO, NFT_MSG, nfgenmsg } from "./wire.ts";

/** linux/netfilter/nfnetlink.h, enum nfnetlink_groups (v6.12) */
const NFNLGRP_NFTABLES = 7;
/** Others may load tens of thousands of rules in one transaction. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** An ADD's answer goes out before its notifications are read. */
const GATHER_MS = 20;
const OURS: ReadonlySet<number> = new Set(Object.values(NFPROTO));

/**
 * Calls back after each transaction that is not ours and touched a table of ours, and when notifications were lost.
 * Ends with the signal. @throws SelvedgeError kernel
 */
export function watchTables(
  { rules, netns }: { readonly rules: Generations; readonly netns?: number | undefined },
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const fd = openNetlink(NETLINK_NETFILTER, netns);
  setSocketOption(fd, "receiveBufferForce", RECEIVE_BUFFER_BYTES);
  setSocketOption(fd, "addMembership", NFNLGRP_NFTABLES);
  bindByNothing(fd);
  const buffer = new Uint8Array(128 * 1024);
  let touched = false;

  const take = (message: Message): void => {
    if (message.type === messageType(NFT_MSG.NEWGEN)) {
      // The last notification of a transaction.
      const stranger = !rules.claim(generation.read(message.body).attrs.id ?? -1);
      if (touched && stranger) onChange();
      touched = false;
    } else if (!touched) touched = ofOurTable(message);
  };

  const drain = (): void => {
    try {
      for (;;) for (const message of eachMessage(buffer.subarray(0, receive(fd, buffer)))) take(message);
    } catch (error) {
      if (!isFailure(error, "kernel")) throw error;
      if (error.failure.errno === ERRNO.ENOBUFS) onChange();
      else if (error.failure.errno !== ERRNO.EAGAIN) throw error;
    }
  };

  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = onReadable(fd, GATHER_MS, drain);
  const end = (): void => {
    stop();
    closeDescriptor(fd);
    resolve();
  };
  signal.addEventListener("abort", end, { once: true });
  return promise;
}

function ofOurTable({ body }: Message): boolean {
  return OURS.has(nfgenmsg.read(body).family) && inTable.read(body).attrs.table === "selvedge";
}
