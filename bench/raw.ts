/** Messages sent as they are: the least that anybody could do to make an attachment. */
import { eachMessage, NLMSG, readError } from "#lib/kernel/netlink/message.ts";
import { refused } from "#native/libc.ts";
import { closeDescriptor, openNamespace } from "#native/namespace.ts";
import { NETLINK_NETFILTER, NETLINK_ROUTE, openNetlink, receive, send } from "#native/socket.ts";
import type { Datagram } from "./recorded.ts";

export interface Raw extends Disposable {
  /**
   * Opens a socket in the namespace, sends, reads one answer to each datagram, closes. Returns microseconds.
   * @throws SelvedgeError kernel, when a request was refused
   */
  play(netns: string, datagrams: readonly Datagram[]): number;
}

const ANSWER_MS = 5_000;

export function raw(): Raw {
  const host = openNetlink(NETLINK_ROUTE);
  const nftables = openNetlink(NETLINK_NETFILTER);
  const answer = new Uint8Array(64 * 1024);
  return {
    play(netns, datagrams) {
      const answers: Uint8Array[][] = [];
      const startedMs = performance.now();
      const namespace = openNamespace(netns);
      if (namespace === undefined) throw new Error(`${netns}: no network namespace`);
      const pod = openNetlink(NETLINK_ROUTE, namespace);
      const sockets = { host, pod, nftables };
      for (const { to, bytes, acknowledged } of datagrams) {
        send(sockets[to], bytes);
        const received: Uint8Array[] = [];
        do received.push(answer.slice(0, receive(sockets[to], answer, ANSWER_MS)));
        while (sequenceOf(answer) !== acknowledged);
        answers.push(received);
      }
      closeDescriptor(pod);
      closeDescriptor(namespace);
      const tookMs = performance.now() - startedMs;
      for (const [i, datagram] of datagrams.entries()) insist(datagram, answers[i] ?? []);
      return tookMs * 1_000;
    },
    [Symbol.dispose]() {
      closeDescriptor(host);
      closeDescriptor(nftables);
    },
  };
}

/** struct nlmsghdr, nlmsg_seq; the kernel puts each answer into a datagram of its own. */
const sequenceOf = (answer: Uint8Array): number => new DataView(answer.buffer).getUint32(8, true);

function insist({ to, mayFail }: Datagram, answers: readonly Uint8Array[]): void {
  for (const message of answers.flatMap((bytes) => [...eachMessage(bytes)])) {
    const code = message.type === NLMSG.ERROR ? readError(message).code : 0;
    if (code !== 0 && !mayFail.includes(message.sequence)) throw refused(`${to}: request ${message.sequence}`, code);
  }
}
