/**
 * Which notifications tell that a permanent neighbour is lost. The kernel has many others, which it learns, doubts and
 * forgets by itself at any time, and it tells of each step. One that is taken away is told of twice, and only the first
 * time with the requester (net/core/neighbour.c, neigh_delete and neigh_cleanup_and_release, v6.12): it is lost once.
 */
import type { Address } from "#lib/address.ts";
import type { Message } from "../netlink/message.ts";
import { NUD_PERMANENT, neighbourMessage, RTM_NEIGH } from "../netlink/neighbour.ts";

export interface NeighbourEar {
  /** Ifindex of the link that has lost one with this notification, or had it replaced by one that does not last. */
  heard(message: Message): number | undefined;
  /** The link is gone, and its number may be another's. */
  forget(index: number): void;
}

export function neighbourEar(): NeighbourEar {
  const permanent = new Map<number, Set<Address>>();
  return {
    heard({ type, body }) {
      const { head, attrs } = neighbourMessage.read(body);
      if (attrs.to === undefined) return undefined;
      const known = permanent.get(head.index);
      if (type === RTM_NEIGH.NEW && (head.state & NUD_PERMANENT) !== 0) {
        if (known === undefined) permanent.set(head.index, new Set([attrs.to]));
        else known.add(attrs.to);
        return undefined;
      }
      return known?.delete(attrs.to) === true ? head.index : undefined;
    },
    forget: (index) => void permanent.delete(index),
  };
}
