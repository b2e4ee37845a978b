/**
 * Questions to the other nodes by the shared store: each looks whether it knows an answer, and whoever does writes it.
 * Nothing of it outlives the question: the asker takes that back, and whoever has answered it then takes back the answer.
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
  /** Questions of others that have not been taken back. */
  const open = new Set<string>();
  /** Those of them that this node has answered. */
  const answered = new Set<string>();
  /** Keys of this node that are over: what is not taken back would be put again whenever the proof of liveness is lost. */
  const leaving = new Set<string>();

  const reporting = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "cluster-failed", message: error.message });
    }
  };

  const takeBack = (...keys: readonly string[]): void => {
    for (const key of keys) leaving.add(key);
    void reporting(async () => {
      for (const key of leaving) {
        await shared.remove(key);
        leaving.delete(key);
      }
    });
  };

  const keyOf = (id: string): string => `${TOLD}${id}/${self}`;

  const tell = (id: string, asked: Asked): Promise<void> =>
    reporting(async () => {
      const told = await answer(asked);
      if (told === undefined || !open.has(id)) return;
      answered.add(id);
      await shared.put(keyOf(id), JSON.stringify(told), { whileAlive: true });
      if (!open.has(id)) takeBack(keyOf(id));
    });

  const over = (id: string): void => {
    open.delete(id);
    if (answered.delete(id)) takeBack(keyOf(id));
  };

  const hear = (id: string, value: string): void => {
    const asked = askedIn(value);
    if (asked === undefined || rounds.has(id)) return;
    open.add(id);
    void tell(id, asked);
  };

  const take = (key: string, value: string): void => {
    const [id = "", node = ""] = key.slice(TOLD.length).split("/");
    const round = rounds.get(id);
    if (round === undefined) return;
    round.told.set(node, jsonIn(value));
    round.look();
  };

  return {
    connection(connected) {
      if (connected && leaving.size > 0) takeBack();
    },
    heed(change: SharedChange) {
      if ("put" in change) {
        const { key, value } = change.put;
        if (key.startsWith(ASKED)) hear(key.slice(ASKED.length), value);
        else if (key.startsWith(TOLD)) take(key, value);
      } else if ("remove" in change) {
        if (change.remove.startsWith(ASKED)) over(change.remove.slice(ASKED.length));
      } else {
        // A list is read when the watch begins: questions that are new in it are as old as that, and their askers have gone.
        const there = new Set(change.all.map(({ key }) => key));
        for (const id of [...open]) if (!there.has(`${ASKED}${id}`)) over(id);
        for (const { key, value } of change.all) if (key.startsWith(TOLD)) take(key, value);
      }
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
      } finally {
        clearTimeout(timer);
        rounds.delete(id);
        takeBack(`${ASKED}${id}`);
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
