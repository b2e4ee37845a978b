/**
 * Questions to the other nodes by the shared store: each looks whether it knows an answer, and whoever does writes it.
 * Nothing of it outlives the question.
 */
import { randomUUID } from "node:crypto";
import { isFailure } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import type { Shared, SharedChange } from "#lib/store/shared.ts";
import type { Listener } from "./membership.ts";

const ASKED = "asked/";
const TOLD = "told/";

export interface Inquiry extends Listener {
  /**
   * Asks all other nodes and waits until the answers suffice.
   * @returns what was told, by node
   * @throws SelvedgeError store
   */
  ask(asked: Asked, isEnough: (told: ReadonlyMap<string, unknown>) => boolean, waitMs: number): Promise<Told>;
}

export type Told = ReadonlyMap<string, unknown>;

export interface Asked {
  readonly kind: string;
  readonly body: unknown;
}

export interface InquiryOptions {
  readonly shared: Pick<Shared, "put" | "remove">;
  readonly self: string;
  /** Undefined: this node has nothing to tell. */
  readonly answer: (asked: Asked) => Promise<unknown>;
  readonly log: Log;
}

interface Round {
  readonly told: Map<string, unknown>;
  readonly look: () => void;
}

export function inquiry({ shared, self, answer, log }: InquiryOptions): Inquiry {
  const rounds = new Map<string, Round>();

  const tell = async (id: string, asked: Asked): Promise<void> => {
    try {
      const told = await answer(asked);
      if (told !== undefined) await shared.put(`${TOLD}${id}/${self}`, JSON.stringify(told), { whileAlive: true });
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "cluster-failed", message: error.message });
    }
  };

  const take = (key: string, value: string): void => {
    if (key.startsWith(ASKED)) {
      const id = key.slice(ASKED.length);
      const asked = askedIn(value);
      if (asked !== undefined && !rounds.has(id)) void tell(id, asked);
    } else if (key.startsWith(TOLD)) {
      const [id = "", node = ""] = key.slice(TOLD.length).split("/");
      const round = rounds.get(id);
      if (round === undefined) return;
      round.told.set(node, jsonIn(value));
      round.look();
    }
  };

  return {
    connection: () => {},
    heed(change: SharedChange) {
      // A list is read when the watch begins: its questions are as old as that, and their askers have gone.
      if ("put" in change) take(change.put.key, change.put.value);
    },
    async ask(asked, isEnough, waitMs) {
      const id = randomUUID();
      const told = new Map<string, unknown>();
      const { promise, resolve } = Promise.withResolvers<void>();
      rounds.set(id, { told, look: () => void (isEnough(told) && resolve()) });
      const timer = setTimeout(resolve, waitMs);
      try {
        await shared.put(`${ASKED}${id}`, JSON.stringify(asked), { whileAlive: true });
        await promise;
        for (const node of told.keys()) await shared.remove(`${TOLD}${id}/${node}`);
        await shared.remove(`${ASKED}${id}`);
      } finally {
        clearTimeout(timer);
        rounds.delete(id);
      }
      return told;
    },
  };
}

function jsonIn(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function askedIn(value: string): Asked | undefined {
  const found = jsonIn(value);
  if (typeof found !== "object" || found === null || !("kind" in found) || typeof found.kind !== "string")
    return undefined;
  return { kind: found.kind, body: "body" in found ? found.body : undefined };
}
