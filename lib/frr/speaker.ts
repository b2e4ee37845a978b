/**
 * The port to FRR, the BGP speaker of a node. Whatever throws is `SelvedgeError speaker`. Implementations: `fake.ts`,
 * `frr.ts`.
 */
import type { Session } from "./sessions.ts";

export interface Speaker {
  /**
   * FRR runs, and bgpd has what the text says and nothing else. Cheap where it has already.
   * @returns whether anything was started or told
   */
  follow(text: string): Promise<boolean>;
  isRunning(): Promise<boolean>;
  /** None where it does not run. */
  sessions(): Promise<readonly Session[]>;
  /** What it has said is taken back, and it ends. Nothing where it does not run. */
  cease(): Promise<void>;
}
