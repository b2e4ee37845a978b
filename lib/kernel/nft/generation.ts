/**
 * The ruleset has a number that grows by one with every transaction, whoever makes it. When it grew by exactly one
 * around a change of ours, nobody else changed anything meanwhile: so most questions about tables need no reading, and
 * notifications of our own changes are known by their number. (The port id would not do: libnftables opens its own
 * sockets; the process id in notifications is that of the initial pid namespace.)
 */
import { insist, type NetlinkSocket } from "../netlink/socket.ts";
import { generation, messageType, NFT_MSG } from "./wire.ts";

export interface Generations {
  now(): number;
  /** Performs a change of ours: one transaction or none. */
  during<T>(change: () => T): T;
  /** True when every transaction after `then` was ours. */
  onlyOursSince(then: number): boolean;
  /** True once for each transaction of ours. */
  claim(id: number): boolean;
}

/** Notifications come within moments; numbers older than this many are asked for by nobody. */
const REMEMBERED = 1024;

export function generations(socket: NetlinkSocket): Generations {
  const request = {
    what: "read nftables generation",
    type: messageType(NFT_MSG.GETGEN),
    flags: 0,
    body: generation.body({}),
  };
  const ours = new Set<number>();
  let latest = -1;
  /** Everything after this number, up to `latest`, is ours. */
  let foreign = -1;

  const now = (): number => {
    const replies = socket.exchange([request]);
    insist(replies);
    const [message] = replies[0]?.messages ?? [];
    const id = message === undefined ? -1 : (generation.read(message.body).attrs.id ?? -1);
    if (id !== latest) foreign = latest = id;
    return id;
  };

  return {
    now,
    during(change) {
      const before = now();
      try {
        return change();
      } finally {
        const since = foreign;
        if (now() === before + 1) {
          foreign = since;
          ours.add(before + 1);
          for (const oldest of ours) {
            if (ours.size <= REMEMBERED) break;
            ours.delete(oldest);
          }
        }
      }
    },
    onlyOursSince(then) {
      now();
      return then >= foreign;
    },
    claim: (id) => ours.delete(id),
  };
}
