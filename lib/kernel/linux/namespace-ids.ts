/** Which pod's namespace has which id on the host: notifications name namespaces by these ids. */

import type { Request } from "../netlink/message.ts";
import { namespaceMessage, RTM_NSID } from "../netlink/namespace.ts";
import type { Reply } from "../netlink/socket.ts";
import type { HostPlace, PodPlace } from "./place.ts";
import type { NamespaceIds } from "./watch.ts";

export interface LearningIds extends NamespaceIds {
  /**
   * Asks for the id of a namespace. It is given one with the first pair that leads there; `assign` gives it one where
   * no pair does: without an id nothing is heard of it. @throws SelvedgeError kernel
   */
  learn(pod: PodPlace, assign: "assign" | "ask"): Promise<void>;
  knows(inode: number): boolean;
}

const get = ({ netns }: PodPlace): Request => ({
  what: "nsid get",
  type: RTM_NSID.GET,
  flags: 0,
  body: namespaceMessage.body({}, { fd: netns }),
});

/** The kernel chooses. Refused where the namespace has one meanwhile. */
const give = ({ netns }: PodPlace): Request => ({
  what: "nsid set",
  type: RTM_NSID.NEW,
  flags: 0,
  body: namespaceMessage.body({}, { nsid: -1, fd: netns }),
});

const nsidIn = (replies: readonly Reply[]): number =>
  replies.flatMap(({ messages }) => messages).map((m) => namespaceMessage.read(m.body).attrs.nsid ?? -1)[0] ?? -1;

export function namespaceIds(host: HostPlace): LearningIds {
  const inodes = new Map<number, number>();
  const ids = new Map<number, number>();
  const forget = (nsid: number): void => {
    const inode = inodes.get(nsid);
    inodes.delete(nsid);
    if (inode !== undefined && ids.get(inode) === nsid) ids.delete(inode);
  };
  return {
    inodeOf: (nsid) => inodes.get(nsid),
    knows: (inode) => ids.has(inode),
    forget,
    async learn(pod, assign) {
      let nsid = nsidIn(await host.run([get(pod)]));
      if (nsid < 0 && assign === "assign") nsid = nsidIn(await host.run([give(pod), get(pod)]));
      if (nsid < 0) return;
      forget(nsid);
      inodes.set(nsid, pod.inode);
      ids.set(pod.inode, nsid);
    },
  };
}
