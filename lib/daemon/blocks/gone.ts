/** Nodes that are gone for good, each looked up once more before anybody acts on it. */
import { isMissing, type Proofs } from "#lib/cluster/proof.ts";
import { readLiveness, readNode } from "#lib/cluster/read-record.ts";
import { aliveKey, type FixedRecord, type NodeId, nodeKey } from "#lib/cluster/records.ts";
import { type Ground, readNow } from "./ground.ts";

export interface Gone {
  has(id: NodeId): boolean;
  /** Looks at everybody that a record of an address names. @throws SelvedgeError store */
  look(): Promise<readonly NodeId[]>;
}

export function gone(
  ground: Pick<Ground, "shared" | "ledger" | "pools" | "clockMs">,
  evidence: Pick<Proofs, "look">,
): Gone {
  const { ledger, pools, clockMs } = ground;
  let found = new Map<string, NodeId>();

  /** Some of them several times: nothing is made for each record, of which there are as many as nodes and more. */
  const named = function* (): Generator<NodeId> {
    for (const pool of pools.keys())
      for (const family of [4, 6] as const)
        for (const block of ledger.blocks(pool, family).values()) {
          yield block;
          yield* Object.values(block.lent);
        }
    for (const fixed of ledger.allFixed()) if (isHeld(fixed)) yield fixed;
  };

  const isMissingNow = async (id: NodeId): Promise<boolean> => {
    const joined = await readNow(ground, nodeKey(id.node), readNode);
    const alive = await readNow(ground, aliveKey(id.node), readLiveness);
    const by = (uid: string | undefined) => new Map(uid === undefined ? [] : [[id.node, uid]]);
    return isMissing(id, { joined: by(joined?.record.uid), alive: by(alive?.record.uid) });
  };

  return {
    has: ({ uid }) => found.has(uid),
    async look() {
      const sure = new Map<string, NodeId>();
      for (const id of evidence.look(named(), ledger, clockMs())) if (await isMissingNow(id)) sure.set(id.uid, id);
      found = sure;
      return [...found.values()];
    },
  };
}

const isHeld = (fixed: FixedRecord): fixed is FixedRecord & NodeId =>
  fixed.node !== undefined && fixed.uid !== undefined;
