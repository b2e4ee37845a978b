/** Which pod's namespace has which id on the host: notifications name namespaces by these ids. */
import { namespaceMessage, RTM_NSID } from "../netlink/namespace.ts";
import type { HostPlace, PodPlace } from "./place.ts";
import type { NamespaceIds } from "./watch.ts";

export interface LearningIds extends NamespaceIds {
  /** Asks for the id of a namespace that a link of ours leads to; it is given one with its first such link. @throws SelvedgeError kernel */
  learn(pod: PodPlace): Promise<void>;
  knows(inode: number): boolean;
}

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
    async learn(pod) {
      const body = namespaceMessage.body({}, { fd: pod.netns });
      const [reply] = await host.run([{ what: "nsid get", type: RTM_NSID.GET, flags: 0, body }]);
      const nsid = reply?.messages.map((m) => namespaceMessage.read(m.body).attrs.nsid ?? -1)[0] ?? -1;
      if (nsid < 0) return;
      forget(nsid);
      inodes.set(nsid, pod.inode);
      ids.set(pod.inode, nsid);
    },
  };
}
