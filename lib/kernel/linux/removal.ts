/**
 * Deleting links behind the call. The kernel waits 15 to 35 ms for grace periods at each deletion, however many links
 * it takes, and holds its one lock meanwhile: so links go in groups, small ones, for ADD to come in between.
 */

import { ERRNO } from "#native/libc.ts";
import { NETLINK_ROUTE } from "#native/socket.ts";
import { insist, netlinkSocket } from "../netlink/socket.ts";
import { deleteGroup, groupLink } from "../rtnl/link.ts";

const MAX_GROUP = 8;
/** IFLA_GROUP numbers of links on their way out: this and the next. */
const FIRST_GROUP = 0x5e200000;

export interface Removal extends AsyncDisposable {
  /** The link, out of the data path already, is deleted soon. */
  enqueue(name: string, index: number): void;
  /** Whether links are being deleted now. */
  busy(): boolean;
  /** How many links are on their way out. */
  readonly count: number;
  /** Names of links that are on their way out. */
  pending(name: string): boolean;
  /** Waits until none of these names is on its way out: for their own groups, not for the whole queue. */
  waitFor(names: Iterable<string>): Promise<void>;
  settled(): Promise<void>;
  /** Port id of the socket. */
  port(): number;
}

interface Leaving {
  readonly name: string;
  readonly index: number;
  readonly gone: PromiseWithResolvers<void>;
}

/** In the namespace behind `netns`, or in the process's own. @throws SelvedgeError kernel */
export function removal(netns?: number): Removal {
  const socket = netlinkSocket(NETLINK_ROUTE, netns);
  let queue: Leaving[] = [];
  const leaving = new Map<string, Leaving>();
  let running: Promise<void> | undefined;
  let group = 0;

  /** Refused deletions leave the link as it is, down and out of every route, for the reconcile loop to find. */
  const deleteSome = async (some: readonly Leaving[]): Promise<void> => {
    group = (group + 1) % 0x10000;
    const requests = some.map(({ index }) => groupLink(index, FIRST_GROUP + group));
    insist(await socket.exchangeAsync([...requests, deleteGroup(FIRST_GROUP + group)]), [ERRNO.ENODEV]);
  };

  const work = async (): Promise<void> => {
    // The callers of this turn of the event loop come first: their links share the wait.
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const some = queue.slice(0, MAX_GROUP);
      queue = queue.slice(MAX_GROUP);
      try {
        await deleteSome(some);
      } finally {
        for (const link of some) {
          if (leaving.get(link.name) === link) leaving.delete(link.name);
          link.gone.resolve();
        }
      }
    }
  };

  const start = (): void => {
    if (running !== undefined) return;
    running = work().finally(() => {
      running = undefined;
      if (queue.length > 0) start();
    });
    // Nobody may be waiting; whoever does gets the refusal from `settled`.
    running.catch(() => undefined);
  };

  const settled = async (): Promise<void> => {
    while (running !== undefined) await running;
  };

  return {
    enqueue(name, index) {
      const link = { name, index, gone: Promise.withResolvers<void>() };
      leaving.set(name, link);
      queue.push(link);
      start();
    },
    busy: () => running !== undefined,
    get count() {
      return leaving.size;
    },
    pending: (name) => leaving.has(name),
    async waitFor(names) {
      for (const name of names) await leaving.get(name)?.gone.promise;
    },
    settled,
    port: () => socket.port,
    async [Symbol.asyncDispose]() {
      await settled();
      socket.close();
    },
  };
}
