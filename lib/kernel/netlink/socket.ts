/**
 * A netlink socket as request and answer. The kernel works a datagram off while it is sent and every answer waits in
 * the socket afterwards; only the last request asks for an acknowledgement, since refusals are always reported and
 * answers keep their order.
 */
import { ERRNO, refused } from "#native/libc.ts";
import { closeDescriptor } from "#native/namespace.ts";
import { openNetlink, portIdOf, receive, send, sendAsync, sendFrom, setSocketOption } from "#native/socket.ts";
import {
  type ErrorReport,
  eachMessage,
  type Message,
  NLM_F,
  NLMSG,
  type Request,
  readError,
  writeMessage,
} from "./message.ts";
import { writer } from "./writer.ts";

/** What one request came to. */
export interface Reply {
  readonly request: Request;
  readonly messages: readonly Message[];
  /** Absent when the kernel did it. */
  readonly error?: ErrorReport;
}

export interface NetlinkSocket {
  /** Port id: notifications that our own requests cause carry it. 0 when it was closed without having been asked for. */
  readonly port: number;
  /** Performs the requests in order, all of them even when some are refused. Blocks while the kernel works. @throws SelvedgeError kernel */
  exchange(requests: readonly Request[]): Reply[];
  /** The same, asked by a thread that is in the namespace behind `netns`. @throws SelvedgeError kernel */
  exchangeFrom(netns: number, requests: readonly Request[]): Reply[];
  /** The same with the kernel's work on a thread of the pool. Exchanges of one socket run one after another. */
  exchangeAsync(requests: readonly Request[]): Promise<Reply[]>;
  /** Every message of a dump; begun again when the kernel says that it changed meanwhile (NLM_F_DUMP_INTR). @throws SelvedgeError kernel */
  dump(request: Request): Message[];
  /**
   * The messages of a dump as they come, some hundred at once. What changes meanwhile may be missing, or come twice; until
   * the end nothing else may be asked of the socket. @throws SelvedgeError kernel
   */
  list(request: Request): Generator<readonly Message[]>;
  close(): void;
}

/** Requests in one datagram: their answers must fit the receive buffer (212,992 bytes by default). */
const MAX_BATCH = 64;
/** A dump that is interrupted this often is refused; each try reads a newer state. */
const MAX_DUMPS = 16;
/** The kernel makes dumps of at most 32 kB (net/netlink/af_netlink.c, netlink_recvmsg). */
const BUFFER_BYTES = 128 * 1024;
/** Answers are there when send returns; longer than this means that there will be none. */
const ANSWER_MS = 5000;

/** One for all sockets: an answer is copied before the next is read. */
const buffer = new Uint8Array(BUFFER_BYTES);

/** Opens a socket in the namespace behind `netns`, or in the process's own. @throws SelvedgeError kernel */
export function netlinkSocket(protocol: number, netns?: number): NetlinkSocket {
  const fd = openNetlink(protocol, netns);
  setSocketOption(fd, "extAck");
  let isStrict = false;
  const to = writer(4096);
  let sequence = 0;
  let port: number | undefined;
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();

  const encode = (requests: readonly Request[]): { bytes: Uint8Array; first: number } => {
    to.clear();
    const first = sequence + 1;
    requests.forEach((request, i) => {
      sequence += 1;
      writeMessage(to, request, sequence, i === requests.length - 1 ? NLM_F.ACK : 0);
    });
    return { bytes: to.written(), first };
  };

  const collect = (requests: readonly Request[], first: number): Reply[] => {
    const replies = requests.map((request) => ({ request, messages: [] as Message[] }) as Open);
    for (let waiting = true; waiting; ) {
      const length = receive(fd, buffer, ANSWER_MS);
      for (const message of eachMessage(buffer.slice(0, length))) {
        const reply = replies[message.sequence - first];
        if (reply === undefined) continue;
        if (message.type !== NLMSG.ERROR) reply.messages.push(message);
        else {
          const report = readError(message);
          if (report.code !== 0) reply.error = report;
          if (message.sequence === first + requests.length - 1) waiting = false;
        }
      }
    }
    return replies;
  };

  /** Returns whether it was interrupted: what was told may be of several moments. */
  function* parts(request: Request): Generator<readonly Message[], boolean> {
    // Without it the kernel passes over what a dump is filtered by (linux/netlink.h, NETLINK_GET_STRICT_CHK).
    if (!isStrict) setSocketOption(fd, "strictCheck");
    isStrict = true;
    to.clear();
    const mine = ++sequence;
    writeMessage(to, request, mine, NLM_F.DUMP);
    send(fd, to.written());
    let interrupted = false;
    for (;;) {
      const part: Message[] = [];
      const length = receive(fd, buffer, ANSWER_MS);
      for (const message of eachMessage(buffer.slice(0, length))) {
        if (message.sequence !== mine) continue;
        if ((message.flags & NLM_F.DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG.ERROR || message.type === NLMSG.DONE) {
          const report = message.body.length >= 4 ? readError(message) : { code: 0, text: undefined };
          if (report.code !== 0) throw refused(request.what, report.code, report.text);
          if (part.length > 0) yield part;
          return interrupted;
        }
        part.push(message);
      }
      if (part.length > 0) yield part;
    }
  }

  const dumpOnce = (request: Request): Message[] | undefined => {
    const messages: Message[] = [];
    const told = parts(request);
    for (;;) {
      const { done, value } = told.next();
      if (done === true) return value ? undefined : messages;
      messages.push(...value);
    }
  };

  const exchange = (requests: readonly Request[], sendOff: (bytes: Uint8Array) => void): Reply[] => {
    const replies: Reply[] = [];
    for (let i = 0; i < requests.length; i += MAX_BATCH) {
      const some = requests.slice(i, i + MAX_BATCH);
      const { bytes, first } = encode(some);
      sendOff(bytes);
      replies.push(...collect(some, first));
    }
    return replies;
  };

  return {
    get port() {
      // Whoever watches may ask once more after the end.
      if (!closed) port ??= portIdOf(fd);
      return port ?? 0;
    },
    exchange: (requests) => exchange(requests, (bytes) => send(fd, bytes)),
    exchangeFrom: (netns, requests) => exchange(requests, (bytes) => sendFrom(netns, fd, bytes)),
    exchangeAsync(requests) {
      const run = async (): Promise<Reply[]> => {
        const replies: Reply[] = [];
        for (let i = 0; i < requests.length; i += MAX_BATCH) {
          const some = requests.slice(i, i + MAX_BATCH);
          const { bytes, first } = encode(some);
          await sendAsync(fd, bytes.slice());
          replies.push(...collect(some, first));
        }
        return replies;
      };
      const mine = queue.then(run, run);
      queue = mine.catch(() => undefined);
      return mine;
    },
    dump(request) {
      for (let tries = 0; tries < MAX_DUMPS; tries++) {
        const messages = dumpOnce(request);
        if (messages !== undefined) return messages;
      }
      throw refused(request.what, ERRNO.EAGAIN, "the list changed at every attempt to read it");
    },
    list: parts,
    close() {
      closed = true;
      closeDescriptor(fd);
    },
  };
}

type Open = { request: Request; messages: Message[]; error?: ErrorReport };

/** Throws the first refusal that `tolerated` does not name. @throws SelvedgeError kernel */
export function insist(replies: readonly Reply[], tolerated: readonly number[] = []): void {
  for (const { request, error } of replies)
    if (error !== undefined && !tolerated.includes(error.code)) throw refused(request.what, error.code, error.text);
}
