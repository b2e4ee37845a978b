/** etcd's lease, which holds what this process put for as long as it lives. */
import { KV, Lease } from "#proto/etcd_pb.ts";
import { type Kept, type KeptOptions, kept } from "../kept.ts";
import type { Members } from "./members.ts";
import { putting } from "./txn.ts";

/** Keys as etcd has them. */
export function liveness(members: Pick<Members, "ask" | "hear">, options: KeptOptions): Kept<number> {
  const { livenessSeconds, signal, random } = options;
  const own = new Set<number>();
  return kept(
    {
      /** We number it: what etcd chooses does not fit a JavaScript number. */
      async make() {
        const ID = 1 + Math.floor(random() * 2 ** 52);
        await members.ask(Lease.leaseGrant, { TTL: Math.ceil(livenessSeconds), ID }, true);
        own.add(ID);
        return ID;
      },
      async renew(ID) {
        let seconds = 0;
        await members.hear(
          Lease.leaseKeepAlive,
          { ID },
          {
            signal,
            onReply: ({ TTL }) => {
              seconds = TTL;
              return true;
            },
          },
        );
        return seconds > 0;
      },
      async putAgain({ key, value }, ID) {
        for (;;) {
          const { kvs } = await members.ask(KV.range, { key }, true);
          const [there] = kvs;
          if (there?.lease === ID) return true;
          // What went with a lease that is over may be there until etcd's members have agreed on it.
          if (there !== undefined && !own.has(there.lease)) return false;
          await members.ask(KV.txn, putting({ key, value, lease: ID }, there?.modRevision ?? 0), true);
        }
      },
    },
    options,
  );
}
