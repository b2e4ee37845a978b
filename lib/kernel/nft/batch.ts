/**
 * Transactions of nftables over netlink: everything between BEGIN and END happens at once or not at all.
 * net/netfilter/nfnetlink.c, nfnetlink_rcv_batch (v6.12): every refused message is reported, in order, even after a first
 * refusal; a failure of the whole is reported for BEGIN. END is not acknowledged before 6.10, so the last message is.
 */
import { closeDescriptor } from "#native/namespace.ts";
import { NETLINK_NETFILTER, openNetlink, receive, send, setSocketOption } from "#native/socket.ts";
import {
  type ErrorReport,
  eachMessage,
  NLM_F,
  NLMSG,
  type Request,
  readError,
  writeMessage,
} from "../netlink/message.ts";
import { writer } from "../netlink/writer.ts";
import { BATCH, nfgenmsg, SUBSYSTEM } from "./wire.ts";

export interface Refusal {
  readonly request: Request;
  readonly error: ErrorReport;
}

export interface BatchSocket {
  /** Returns what was refused; empty means that all of it happened. Not for empty lists. @throws SelvedgeError kernel */
  commit(requests: readonly Request[]): Refusal[];
  close(): void;
}

const ANSWER_MS = 5000;

/** In the namespace behind `netns`, or in the process's own. @throws SelvedgeError kernel */
export function batchSocket(netns?: number): BatchSocket {
  const fd = openNetlink(NETLINK_NETFILTER, netns);
  setSocketOption(fd, "extAck");
  setSocketOption(fd, "capAck");
  const buffer = new Uint8Array(64 * 1024);
  let sequence = 0;
  const enclosing = (type: number): Request => {
    const body = writer(4);
    nfgenmsg.write(body, { resource: SUBSYSTEM });
    return { what: "commit nftables", type, flags: 0, body: body.bytes() };
  };
  const begin = enclosing(BATCH.BEGIN);
  const end = enclosing(BATCH.END);

  return {
    commit(requests) {
      const all = [begin, ...requests, end];
      const first = sequence + 1;
      const last = all.length - 2;
      const to = writer(4096);
      all.forEach((request, i) => {
        writeMessage(to, request, first + i, i === last ? NLM_F.ACK : 0);
      });
      sequence += all.length;
      send(fd, to.bytes());
      const refusals: Refusal[] = [];
      for (let waiting = true; waiting; ) {
        const length = receive(fd, buffer, ANSWER_MS);
        for (const message of eachMessage(buffer.subarray(0, length))) {
          const i = message.sequence - first;
          const request = all[i];
          if (request === undefined || message.type !== NLMSG.ERROR) continue;
          const error = readError(message);
          if (error.code !== 0) refusals.push({ request, error });
          if (i === 0 || i === last) waiting = false;
        }
      }
      return refusals;
    },
    close: () => closeDescriptor(fd),
  };
}
