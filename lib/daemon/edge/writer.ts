/** Which node writes to a router: whoever has put the key, for as long as it is heard of. */
import { readJson } from "#lib/cluster/read-record.ts";
import type { NodeId } from "#lib/cluster/records.ts";
import { fields, text } from "#lib/parse.ts";
import type { Keeper } from "./memory.ts";
import { edgeKey } from "./memory.ts";

export interface Writer {
  /** Whether it is this node, which it becomes when nobody is. @throws SelvedgeError store */
  hold(): Promise<boolean>;
  /** Lets another node be it. @throws SelvedgeError store */
  release(): Promise<void>;
  /** Name of the node that it is, as far as is known. */
  readonly holder: string | undefined;
}

export function writer(keeper: Keeper, router: string, self: NodeId): Writer {
  const key = edgeKey(router, "writer");
  let holder: string | undefined;
  /** An entry of an earlier life of this daemon ends with that one's lease. */
  let isOurs = false;

  return {
    get holder() {
      return holder;
    },
    async hold() {
      const entry = await keeper.get(key);
      const at = fields(readJson(key, entry?.value ?? "{}"));
      const isSelf = text(at("uid"), { or: "" }) === self.uid;
      if (entry !== undefined && (!isSelf || isOurs)) {
        holder = text(at("node"), { or: "" });
        isOurs &&= isSelf;
        return isSelf;
      }
      const put = await keeper.put(key, JSON.stringify(self), { if: entry?.revision ?? "absent", whileAlive: true });
      isOurs = put !== undefined;
      holder = isOurs ? self.node : undefined;
      return isOurs;
    },
    async release() {
      const entry = await keeper.get(key);
      if (isOurs && entry !== undefined) await keeper.remove(key, { if: entry.revision });
      isOurs = false;
    },
  };
}
