/** One network namespace that is being worked on: its netlink socket, and who stands behind its ifindexes. */
import { fstatSync } from "node:fs";
import { SelvedgeError } from "#lib/errors.ts";
import type { Place as PlaceName } from "#lib/state/place.ts";
import { closeDescriptor, homeNamespace, openNamespace } from "#native/namespace.ts";
import { NETLINK_ROUTE } from "#native/socket.ts";
import type { Scope } from "../kernel.ts";
import type { Message, Request } from "../netlink/message.ts";
import { type NetlinkSocket, netlinkSocket, type Reply } from "../netlink/socket.ts";
import { getLink, readLink, type SeenLink } from "../rtnl/link.ts";

export interface Place {
  readonly at: PlaceName;
  /** Descriptor of the namespace; absent for the process's own. */
  readonly netns?: number;
  /** Performs the requests in order and gives every answer, refusals among them. @throws SelvedgeError kernel */
  run(requests: readonly Request[]): Promise<Reply[]>;
  /** The same on a thread of the pool, for what takes the kernel milliseconds. @throws SelvedgeError kernel */
  wait(requests: readonly Request[]): Promise<Reply[]>;
  /** @throws SelvedgeError kernel */
  dump(request: Request): Message[];
}

/** Descriptor of the place's namespace. */
export const namespaceOf = ({ netns }: Pick<Place, "netns">): number => netns ?? homeNamespace();

export interface HostPlace extends Place, Disposable {
  /** Port ids of its sockets: notifications with one of them tell of our own work. */
  ports(): readonly number[];
}

/**
 * The namespace behind `netns`, or the process's own. While links are being deleted elsewhere the kernel's one lock is held for milliseconds;
 * `busy` says so, and then requests wait on a thread of the pool instead of the event loop.
 */
export function hostPlace(busy: () => boolean, netns?: number): HostPlace {
  const quick = netlinkSocket(NETLINK_ROUTE, netns);
  const patient = netlinkSocket(NETLINK_ROUTE, netns);
  return {
    at: "host",
    ...(netns === undefined ? {} : { netns }),
    run: async (requests) =>
      requests.length === 0 ? [] : busy() ? patient.exchangeAsync(requests) : quick.exchange(requests),
    wait: patient.exchangeAsync,
    dump: quick.dump,
    ports: () => [quick, patient].map((socket) => socket.port),
    [Symbol.dispose]() {
      quick.close();
      patient.close();
    },
  };
}

export interface PodPlace extends Place, Disposable {
  readonly netns: number;
  readonly inode: number;
}

/**
 * The namespace of the scope; undefined when it is gone, or when another stands at its path now. Its socket is opened
 * when it is first used, and closed with the place.
 */
export function podPlace(scope: Scope, busy: () => boolean): PodPlace | undefined {
  if (scope.netns === undefined) return undefined;
  const netns = openNamespace(scope.netns);
  if (netns === undefined) return undefined;
  const inode = fstatSync(netns).ino;
  if (scope.netnsInode !== undefined && scope.netnsInode !== inode) {
    closeDescriptor(netns);
    return undefined;
  }
  let opened: NetlinkSocket | undefined;
  const socket = () => {
    opened ??= netlinkSocket(NETLINK_ROUTE, netns);
    return opened;
  };
  return {
    at: "pod",
    netns,
    inode,
    run: async (requests) =>
      requests.length === 0 ? [] : busy() ? socket().exchangeAsync(requests) : socket().exchange(requests),
    wait: (requests) => socket().exchangeAsync(requests),
    dump: (request) => socket().dump(request),
    [Symbol.dispose]() {
      opened?.close();
      closeDescriptor(netns);
    },
  };
}

export const namespaceGone = (scope: Scope): SelvedgeError =>
  new SelvedgeError(
    { kind: "namespace-gone", path: scope.netns ?? "" },
    `${scope.netns ?? "no namespace"}: there is no such network namespace any more`,
  );

/** The links of these names that exist. */
export async function linksByName(place: Place, names: ReadonlySet<string>): Promise<Map<string, SeenLink>> {
  const replies = await place.run([...names].map(getLink));
  const links = replies.flatMap((reply) => reply.messages.map(readLink));
  return new Map(links.map((link) => [link.name, link]));
}

export async function linkByName(place: Place, name: string): Promise<SeenLink | undefined> {
  return (await linksByName(place, new Set([name]))).get(name);
}
