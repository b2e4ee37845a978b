/**
 * The port to a VyOS router: the part of its HTTP API that Selvedge uses (vyos-1x src/services/vyos-http-api-server of 1.4,
 * src/services/api/rest of the rolling release). Whatever throws is `SelvedgeError router`, and its `why` says what is
 * known of the router afterwards. Implementations: `fake.ts`, `http.ts`. Both pass `contract.ts`.
 */
import type { Path } from "#lib/edge/path.ts";
import type { Tree } from "#lib/edge/tree.ts";

export interface Command {
  readonly op: "set" | "delete";
  readonly path: Path;
}

export interface Vyos {
  /** As the router tells it: `1.4.0`, `2026.02.13-0018-rolling`. */
  version(): Promise<string>;
  /**
   * What is at a node of the configuration, empty when nothing is. Not while a commit of ours is under way, and not the path
   * of a tag node or a leaf: those are answered in another shape.
   */
  read(path: Path): Promise<Tree>;
  /**
   * All commands in order, in one commit, which is not saved. Deleting what is not there succeeds, setting what is there too.
   * A commit that fails is not undone: read again. With `confirmMinutes` the router goes back by itself unless `confirm` is called
   * in time; only where the version has it.
   */
  configure(commands: readonly Command[], options?: { readonly confirmMinutes?: number }): Promise<void>;
  confirm(): Promise<void>;
  /** The configuration becomes the one that the router boots with. */
  save(): Promise<void>;
  /** The text of an operational command. */
  show(path: Path): Promise<string>;
}
