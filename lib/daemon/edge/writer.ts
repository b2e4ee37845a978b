/**
 * Which node writes to a router: whoever has put the key, for as long as it is heard of. A node where a person orders
 * something asks for it, and the writer lets go between two passes.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readJson } from "#lib/cluster/read-record.ts";
import type { NodeId } from "#lib/cluster/records.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { fields, text } from "#lib/parse.ts";
import type { Entry } from "#lib/store/shared.ts";
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

export interface Elected extends Writer {
  /** Asks whoever it is to let go, and becomes it. @throws SelvedgeError store; not-ready where that takes too long */
  take(): Promise<void>;
  /** Lets the node be it that asks for that, if one does; not while the router is worked on, nor during `take`. @throws SelvedgeError store */
  giveWay(): Promise<void>;
}

/** A push may be under way there. */
const TAKE_MS = 25_000;
const LOOK_MS = 200;

export const askedKey = (router: string): string => edgeKey(router, "asked");

export function writer(
  keeper: Keeper,
  router: string,
  self: NodeId,
  wait: (ms: number) => Promise<unknown> = (ms) => sleep(ms),
): Elected {
  const key = edgeKey(router, "writer");
  const asked = askedKey(router);
  let holder: string | undefined;
  /** An entry of an earlier life of this daemon ends with that one's lease. */
  let isOurs = false;

  const isAnothers = (entry: Entry | undefined): boolean => entry !== undefined && nodeIn(entry).uid !== self.uid;

  const hold = async (): Promise<boolean> => {
    const entry = await keeper.get(key);
    const { node, uid } = nodeIn(entry);
    const isSelf = uid === self.uid;
    if (entry !== undefined && (!isSelf || isOurs)) {
      holder = node;
      isOurs &&= isSelf;
      return isSelf;
    }
    isOurs = false;
    if (isAnothers(await keeper.get(asked))) return false;
    const put = await keeper.put(key, JSON.stringify(self), { if: entry?.revision ?? "absent", whileAlive: true });
    isOurs = put !== undefined;
    holder = isOurs ? self.node : undefined;
    return isOurs;
  };

  const release = async (): Promise<void> => {
    if (!isOurs) return;
    const entry = await keeper.get(key);
    // Where ours has lapsed unheard, another may be it by now.
    if (entry !== undefined && !isAnothers(entry)) await keeper.remove(key, { if: entry.revision });
    isOurs = false;
  };

  /** Another that asks comes first. */
  const taken = async (): Promise<boolean> => {
    for (let waitedMs = 0; waitedMs < TAKE_MS; waitedMs += LOOK_MS) {
      await keeper.put(asked, JSON.stringify(self), { if: "absent", whileAlive: true });
      if (await hold()) return true;
      await wait(LOOK_MS);
    }
    return false;
  };

  /** Where the store is away by now, `giveWay` does it later: it changes nothing of how the order ended. */
  const stopAsking = async (): Promise<void> => {
    try {
      const entry = await keeper.get(asked);
      if (entry !== undefined && !isAnothers(entry)) await keeper.remove(asked, { if: entry.revision });
    } catch (error) {
      if (!isFailure(error)) throw error;
    }
  };

  return {
    get holder() {
      return holder;
    },
    hold,
    release,
    async take() {
      try {
        if ((await hold()) || (await taken())) return;
      } finally {
        await stopAsking();
      }
      throw new SelvedgeError(
        { kind: "not-ready" },
        `node ${holder ?? "?"} writes to router ${router} and has not let go of it in ${TAKE_MS / 1_000} s: it may be pushing; try again`,
      );
    },
    async giveWay() {
      const entry = await keeper.get(asked);
      if (entry === undefined) return;
      if (isAnothers(entry)) await release();
      // Of an order that is over: it would keep others from becoming it.
      else await keeper.remove(asked, { if: entry.revision });
    },
  };
}

function nodeIn(entry: Entry | undefined): { readonly node: string; readonly uid: string } {
  const at = fields(readJson(entry?.key ?? "", entry?.value ?? "{}"));
  return { node: text(at("node"), { or: "" }), uid: text(at("uid"), { or: "" }) };
}
