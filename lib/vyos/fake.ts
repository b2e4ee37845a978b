/** A router in memory, with every trouble that a real one has, and an operator who works on it too: for tests. */

import type { Path } from "#lib/edge/path.ts";
import { nodeAt, type Tree } from "#lib/edge/tree.ts";
import type { RouterTrouble } from "#lib/errors.ts";
import { trouble } from "./answer.ts";
import { commit, copyOf } from "./model.ts";
import type { Command, Vyos } from "./vyos.ts";

/** What happens to the next `configure`. */
export type Accident =
  /** It is refused at once with this trouble, and nothing is done. */
  | { readonly refuse: RouterTrouble }
  /** One part of the commit fails; the others are made. */
  | { readonly partly: Path }
  /** All of it is done, and the answer is lost. */
  | "unheard"
  /** The answer is lost, and it is done only when `finish` is called. */
  | "later"
  /** Nothing arrives, nor does an answer. */
  | "lost";

export interface FakeRouter {
  /** A client with a key. */
  open(key?: string): Vyos;
  readonly running: Tree;
  readonly saved: Tree;
  /** As the operator's own commit. */
  operate(commands: readonly Command[]): void;
  /** The running configuration is lost; the saved one counts. */
  reboot(): void;
  /** For the next `configure`s, in order. */
  plan(...accidents: readonly Accident[]): void;
  /** What was left for later is done now. */
  finish(): void;
  /** Set for reads and saves, too. */
  down: RouterTrouble | undefined;
  key: string;
  /** A commit that was not confirmed in time is taken back, as with `commit-confirm action reload`. */
  expire(): void;
  /** Called before a commit begins: what the operator does between our read and our write. */
  between: (() => void) | undefined;
  /** Answers operational commands; without it there are none. */
  tells: ((path: Path) => string) | undefined;
  /** Commits and reads so far. */
  readonly counted: { commits: number; reads: number; saves: number };
}

/** nginx: `client_max_body_size 1m` */
const LARGEST_BYTES = 1_048_576;

export function fakeRouter({ name = "edge1", version = "1.4.0" } = {}): FakeRouter {
  let running: Tree = new Map();
  let saved: Tree = new Map();
  /** What comes back unless it is confirmed. */
  let unconfirmed: Tree | undefined;
  const confirms = !version.startsWith("1.4");
  const accidents: Accident[] = [];
  const late: (readonly Command[])[] = [];
  const counted = { commits: 0, reads: 0, saves: 0 };

  const apply = (commands: readonly Command[], fails?: (owner: Path) => boolean): readonly string[] => {
    const done = commit(running, commands, fails === undefined ? {} : { fails });
    running = done.tree;
    return done.refusals;
  };

  const router: FakeRouter = {
    get running() {
      return running;
    },
    get saved() {
      return saved;
    },
    down: undefined,
    key: "key",
    between: undefined,
    tells: undefined,
    counted,
    operate: (commands) => void apply(commands),
    reboot() {
      late.length = 0;
      running = copyOf(saved);
    },
    plan: (...more) => void accidents.push(...more),
    expire() {
      running = unconfirmed ?? running;
      unconfirmed = undefined;
    },
    finish() {
      for (const commands of late.splice(0)) apply(commands);
    },
    open: (key = "key") => {
      /** Answers come later, as they do over a wire. */
      const request = async <T>(answer: () => T): Promise<T> => {
        await Promise.resolve();
        if (router.down !== undefined) throw trouble(name, router.down, "it is down");
        if (key !== router.key) throw trouble(name, "denied", "Valid API key is required");
        return answer();
      };
      return {
        version: () => request(() => version),
        read: (path) =>
          request(() => {
            counted.reads += 1;
            if (late.length > 0) throw trouble(name, "busy", "An internal error occured. Check the logs for details.");
            return copyOf(nodeAt(running, path) ?? new Map());
          }),
        configure: (commands, options = {}) =>
          request(() => {
            if (options.confirmMinutes !== undefined && !confirms)
              throw trouble(name, "refused", `VyOS ${version} confirms nothing`);
            const bytes = new URLSearchParams({ data: JSON.stringify(commands) }).toString().length;
            if (bytes > LARGEST_BYTES) throw trouble(name, "refused", "HTTP 413: the request is too large");
            const accident = accidents.shift();
            if (typeof accident === "object" && "refuse" in accident) throw trouble(name, accident.refuse, "refused");
            if (accident === "lost") throw trouble(name, "unknown", "no answer");
            router.between?.();
            counted.commits += 1;
            // The commit comes first, and is not undone where another one waits already (T3955).
            const isSecond = options.confirmMinutes !== undefined && unconfirmed !== undefined;
            const before = copyOf(running);
            const wait = (): void => {
              if (options.confirmMinutes !== undefined) unconfirmed ??= before;
            };
            if (accident === "later") {
              wait();
              late.push(commands);
              throw trouble(name, "unknown", "HTTP 504: it took too long");
            }
            const part = typeof accident === "object" ? accident.partly : undefined;
            const refusals = apply(commands, part && ((owner) => owner.join(" ") === part.join(" ")));
            if (refusals.length === 0) wait();
            if (accident === "unheard") throw trouble(name, "unknown", "the connection was lost");
            if (refusals.length > 0) throw trouble(name, "failed", `${refusals.join("")}Commit failed`);
            if (isSecond) throw trouble(name, "failed", "Another confirm is pending");
          }),
        confirm: () =>
          request(() => {
            if (unconfirmed === undefined) throw trouble(name, "refused", "No confirm pending");
            unconfirmed = undefined;
          }),
        save: () =>
          request(() => {
            counted.saves += 1;
            saved = copyOf(running);
          }),
        show: (path) =>
          request(() => {
            if (router.tells !== undefined) return router.tells(path);
            throw trouble(name, "refused", "no operational commands");
          }),
      };
    },
  };
  return router;
}
