/**
 * Forgetting tracked connections: of an address that nobody holds any more, of a host port that leads elsewhere.
 * What is asked for while one flush runs is done together by the next: pods end in storms. Each connection is deleted
 * by its own id, so no other is touched.
 */
import { ERRNO } from "#native/libc.ts";
import { closeDescriptor } from "#native/namespace.ts";
import { NETLINK_NETFILTER, openNetlink } from "#native/socket.ts";
import { keysOf, ofAddress, ofPort, type Protocol, type Query, untranslatedFrom } from "./conntrack/query.ts";
import { walk } from "./conntrack/walk.ts";
import { CT, connection, identity, stats } from "./conntrack/wire.ts";
import { insist, type NetlinkSocket, netlinkSocket } from "./netlink/socket.ts";

export interface Conntrack extends Disposable {
  /** Deletes the connections of which one of these is an end, before or after translation; returns how many. @throws SelvedgeError kernel */
  flush(addresses: readonly string[]): Promise<number>;
  /** Deletes the connections that begin at one of these and are not translated; returns how many. @throws SelvedgeError kernel */
  flushUntranslated(addresses: readonly string[]): Promise<number>;
  /** Deletes the connections to a port as their first packet named it; returns how many. @throws SelvedgeError kernel */
  flushPort(protocol: Protocol, port: number): Promise<number>;
}

interface Waiting {
  readonly queries: readonly Query[];
  resolve(count: number): void;
  reject(error: unknown): void;
}

/** Reading this many connections takes as long as one walk of the kernel that finds nothing (measured: 16 ms). */
const READ_PER_WALK = 6000;

/** Of the namespace behind `netns`, or of the process's own. @throws SelvedgeError kernel */
export function openConntrack(netns?: number): Conntrack {
  const socket = netlinkSocket(NETLINK_NETFILTER, netns);
  let waiting: Waiting[] = [];
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      const now = waiting;
      waiting = [];
      try {
        const gone = await deleteMatching(
          { socket, netns },
          now.flatMap(({ queries }) => queries),
        );
        for (const { queries, resolve } of now) {
          const keys = new Set(queries.map(({ key }) => key));
          resolve(gone.filter((connectionKeys) => !keys.isDisjointFrom(connectionKeys)).length);
        }
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    running = false;
  };

  const flush = async (queries: readonly Query[]): Promise<number> => {
    // Counting is immediate, and most nodes of a test, and every node at its start, track nothing.
    if (queries.length === 0 || tracked(socket) === 0) return 0;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    waiting.push({ queries, resolve, reject });
    if (!running) void run();
    return promise;
  };

  return {
    flush: async (addresses) => flush(addresses.map(ofAddress)),
    flushUntranslated: async (addresses) => flush(addresses.map(untranslatedFrom)),
    flushPort: async (protocol, port) => flush([ofPort(protocol, port)]),
    [Symbol.dispose]: socket.close,
  };
}

/** Connections of this namespace. */
function tracked(socket: NetlinkSocket): number {
  const replies = socket.exchange([{ what: "count connections", type: CT.GET_STATS, flags: 0, body: stats.body({}) }]);
  insist(replies);
  const [message] = replies[0]?.messages ?? [];
  return (message && stats.read(message.body).attrs.entries) ?? 0;
}

/** Returns the keys of each connection that was deleted. */
async function deleteMatching(
  { socket, netns }: { readonly socket: NetlinkSocket; readonly netns: number | undefined },
  queries: readonly Query[],
): Promise<Set<string>[]> {
  const wanted = new Set(queries.map(({ key }) => key));
  const found: { readonly keys: Set<string>; readonly body: Uint8Array }[] = [];
  const take = (body: Uint8Array): void => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
    if (!queries.some(({ trace }) => bytes.includes(trace))) return;
    const keys = keysOf(body);
    // Kernels before 5.8 do not know the filter and list everything.
    if (!keys.isDisjointFrom(wanted)) found.push({ keys, body: body.slice() });
  };
  const filtered = queries.flatMap(({ walks }) => walks);
  const readAll = tracked(socket) <= READ_PER_WALK * filtered.length;
  const walks = readAll ? [{ family: 0, values: {} }] : filtered;
  const fd = openNetlink(NETLINK_NETFILTER, netns);
  try {
    for (const { family, values } of walks) {
      const body = connection.body({ family }, values);
      await walk(fd, { what: "list connections", type: CT.GET, flags: 0, body }, take);
    }
  } finally {
    closeDescriptor(fd);
  }
  const replies = socket.exchange(found.map(({ body }) => forget(body)));
  // One that ended by itself meanwhile, or that two walks found, is gone already.
  insist(replies, [ERRNO.ENOENT]);
  return found.flatMap(({ keys }, i) => (replies[i]?.error === undefined ? [keys] : []));
}

function forget(body: Uint8Array) {
  const { head, attrs } = identity.read(body);
  return {
    what: "delete connection",
    type: CT.DELETE,
    flags: 0,
    body: identity.body({ family: head.family }, attrs),
  };
}
