/** etcd's lease, which holds what this process put for as long as it lives. */
import { KV, Lease } from "#proto/etcd_pb.ts";
import { type Kept, type KeptOptions, kept } from "../kept.ts";
import type { Members } from "./members.ts";
import { unlessThere } from "./txn.ts";

/** Keys as etcd has them. */
export function liveness(members: Members, options: KeptOptions): Kept<number> {
  const { livenessSeconds, signal, random } = options;
  return kept(
    {
      /** We number it: what etcd chooses does not fit a JavaScript number. */
      async make() {
        const ID = 1 + Math.floor(random() * 2 ** 52);
        await members.ask(Lease.leaseGrant, { TTL: Math.ceil(livenessSeconds), ID }, true);
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
        await members.ask(KV.txn, unlessThere({ key, value, lease: ID }), true);
        const { kvs } = await members.ask(KV.range, { key }, true);
        return kvs[0]?.lease === ID;
      },
    },
    options,
  );
}
