/**
 * A bounded pool with a fair queue: at most `size` pieces of work run, at most `limit` wait, and those that wait are
 * taken from each group in turn, so that a storm in one group cannot starve the others.
 */
import { SelvedgeError } from "./errors.ts";

export interface Workers {
  /**
   * Runs `work` when its turn comes. A signal that aborts while it waits takes it out of the queue.
   * @throws SelvedgeError not-ready when the queue is full, deadline when the signal aborts first
   */
  run<T>(group: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly running: number;
  readonly queued: number;
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>;
}

interface Waiting {
  start(): void;
}

export function workers({ size, limit }: { size: number; limit: number }): Workers {
  /** Groups in the order of their next turn; a Map keeps insertion order, and a served group is inserted again. */
  const groups = new Map<string, Set<Waiting>>();
  let running = 0;
  let queued = 0;
  let idlers: (() => void)[] = [];

  const next = () => {
    const [turn] = groups;
    if (turn === undefined) {
      if (running === 0) {
        for (const resolve of idlers) resolve();
        idlers = [];
      }
      return;
    }
    const [name, members] = turn;
    const [first] = members;
    groups.delete(name);
    if (first === undefined) return;
    members.delete(first);
    if (members.size > 0) groups.set(name, members);
    queued--;
    first.start();
  };

  const enter = (group: string, signal: AbortSignal | undefined): Promise<void> => {
    if (running < size && queued === 0) {
      running++;
      return Promise.resolve();
    }
    if (queued >= limit)
      throw new SelvedgeError({ kind: "not-ready" }, `${queued} requests are waiting already, which is the limit`, {
        hint: "try again later; `selvedgectl status` shows the queue",
      });
    return new Promise((resolve, reject) => {
      const members = groups.get(group) ?? new Set<Waiting>();
      const leave = () => {
        members.delete(waiting);
        if (members.size === 0 && groups.get(group) === members) groups.delete(group);
        queued--;
        reject(
          new SelvedgeError({ kind: "deadline" }, "the caller gave up while the request was waiting for its turn"),
        );
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener("abort", leave);
          running++;
          resolve();
        },
      };
      members.add(waiting);
      groups.set(group, members);
      queued++;
      signal?.addEventListener("abort", leave, { once: true });
    });
  };

  return {
    async run(group, work, signal) {
      if (signal?.aborted) throw new SelvedgeError({ kind: "deadline" }, "the caller gave up before the request began");
      await enter(group, signal);
      try {
        return await work();
      } finally {
        running--;
        next();
      }
    },
    get running() {
      return running;
    },
    get queued() {
      return queued;
    },
    idle: () => (running === 0 && queued === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  };
}
