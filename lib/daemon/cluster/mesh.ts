/**
 * Who reaches whom: one node asks by the shared store, and every node answers with what its own probes show. Nothing
 * of it outlives the question.
 */
import { randomUUID } from "node:crypto";
import { isFailure } from "#lib/errors.ts";
import type { Log } from "#lib/log.ts";
import type { Shared, SharedChange } from "#lib/store/shared.ts";
import { Reach } from "#proto/selvedge_pb.ts";
import type { Listener } from "./membership.ts";

const QUESTIONS = "questions/";
const ANSWERS = "answers/";

export interface Mesh extends Listener {
  /**
   * Asks these nodes, this one among them or not, and waits for them.
   * @returns what they see of one another; who did not answer is not in it
   */
  ask(nodes: readonly string[], waitMs: number): Promise<ReadonlyMap<string, readonly Reach[]>>;
}

export interface MeshOptions {
  readonly shared: Pick<Shared, "put" | "remove">;
  readonly self: string;
  /** What this node sees of those. */
  readonly reaches: (nodes: readonly string[]) => readonly Reach[];
  readonly log: Log;
}

interface Round {
  readonly missing: Set<string>;
  readonly answers: Map<string, readonly Reach[]>;
  readonly done: () => void;
}

export function mesh({ shared, self, reaches, log }: MeshOptions): Mesh {
  const rounds = new Map<string, Round>();

  const answer = async (id: string, nodes: readonly string[]): Promise<void> => {
    try {
      const value = JSON.stringify(reaches(nodes));
      await shared.put(`${ANSWERS}${id}/${self}`, value, { whileAlive: true });
    } catch (error) {
      if (!isFailure(error)) throw error;
      log({ event: "cluster-failed", message: error.message });
    }
  };

  const take = (key: string, value: string): void => {
    if (key.startsWith(QUESTIONS)) {
      const nodes = textsIn(value);
      if (nodes.includes(self)) void answer(key.slice(QUESTIONS.length), nodes);
    } else if (key.startsWith(ANSWERS)) {
      const [id = "", node = ""] = key.slice(ANSWERS.length).split("/");
      const round = rounds.get(id);
      if (round?.missing.delete(node) !== true) return;
      round.answers.set(node, reachesIn(value));
      if (round.missing.size === 0) round.done();
    }
  };

  return {
    connection: () => {},
    heed(change: SharedChange) {
      if ("put" in change) take(change.put.key, change.put.value);
      else if ("all" in change) for (const { key, value } of change.all) take(key, value);
    },
    async ask(nodes, waitMs) {
      const id = randomUUID();
      const { promise, resolve } = Promise.withResolvers<void>();
      const round: Round = { missing: new Set(nodes), answers: new Map(), done: resolve };
      rounds.set(id, round);
      const timer = setTimeout(resolve, waitMs);
      try {
        await shared.put(`${QUESTIONS}${id}`, JSON.stringify(nodes), { whileAlive: true });
        await promise;
        for (const node of round.answers.keys()) await shared.remove(`${ANSWERS}${id}/${node}`);
        await shared.remove(`${QUESTIONS}${id}`);
      } finally {
        clearTimeout(timer);
        rounds.delete(id);
      }
      return round.answers;
    },
  };
}

function listIn(value: string): unknown[] {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : [];
  } catch {
    return [];
  }
}

const textsIn = (value: string): string[] => listIn(value).filter((each) => typeof each === "string");
const reachesIn = (value: string): Reach[] =>
  listIn(value).flatMap((each) => (typeof each === "object" && each !== null ? [Reach.of(each)] : []));
