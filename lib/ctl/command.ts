/** What a command of selvedgectl is: a value from which usage, completion and parsing are derived. */
import type { Method } from "#proto/selvedge_pb.ts";
import type { Style } from "./style.ts";

export interface Option {
  /** With a value, its name in the usage text: `--network NAME`. Without: a flag. */
  readonly value?: string;
  /** May be given several times: its values arrive with commas between them. */
  readonly repeated?: true;
  readonly meaning: string;
}

/** Calls one method of the daemon. @throws SelvedgeError not-ready, deadline, rpc */
export type Ask = <Request, Reply>(method: Method<Request, Reply>, request: Partial<Request>) => Promise<Reply>;

export interface Given {
  readonly words: readonly string[];
  readonly flag: (name: string) => boolean;
  /** The value of an option, or "" when it was not given. */
  readonly value: (name: string) => string;
}

export interface Answer {
  /** What `--json` prints. Names and types of fields are those of proto/selvedge.proto, and stay. */
  readonly json: unknown;
  /** Lines for people, at most `widthColumns` wide where the content allows it. */
  readonly lines: (style: Style, widthColumns: number) => readonly string[];
  /** Absent: 0. */
  readonly exit?: Exit;
}

export interface Command {
  readonly summary: string;
  /** Arguments in the usage text: `[pools|leases]`. */
  readonly usage: string;
  readonly mostWords: number;
  readonly fewestWords: number;
  /** What the first argument may be, where that is a closed set. */
  readonly choices: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  run(ask: Ask, given: Given): Promise<Answer>;
}

/** Of a command that takes no words. */
export const WORDLESS = { usage: "", fewestWords: 0, mostWords: 0, choices: [] } as const satisfies Partial<Command>;

/** Exit codes, stable; `selvedgectl help` prints them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, notReady: 4, ailing: 5 } as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANING = {
  ok: "done",
  failed: "the daemon refused or could not do it",
  usage: "the command line is wrong",
  unreachable: "no daemon answers on the socket",
  notReady: "status: the node is not ready",
  ailing: "there are problems, or the answer is no: connectivity, doctor, edge doctor, nodes, path, policy",
} as const satisfies Record<keyof typeof EXIT, string>;

/** A command line that cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
