/** What a pusher is made of, and how it is to behave. */
import type { End, Reaches } from "#lib/echo/tcp.ts";
import type { DeleteLimit } from "#lib/edge/limit.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import type { Log } from "#lib/log.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import type { Memory } from "./memory.ts";
import type { Counted } from "./router-status.ts";
import type { Writer } from "./writer.ts";

export interface PusherPorts {
  readonly router: Vyos;
  readonly memory: Memory;
  readonly writer: Writer;
  readonly log: Log;
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly reaches: Reaches;
}

export interface PusherOptions {
  /** Again at every look: a secret may have been replaced. @throws SelvedgeError config-invalid, not-ready */
  readonly spec: () => Promise<RouterSpec>;
  readonly router: string;
  /** Name of this node. */
  readonly by: string;
  readonly driftMs: number;
  readonly onDrift: "repair" | "report";
  readonly deleteLimit: DeleteLimit;
  readonly dryRun: boolean;
  /** Where the router can, it takes a commit back after so long unless it can still be read; 0: never. */
  readonly confirmMinutes: number;
  /** How long what was up before a push may be down after it; 0: nobody looks. */
  readonly verifyMs: number;
  /** That are reached through the router. */
  readonly probes: readonly End[];
  /** By those before it, of the same router in the same daemon; absent: there were none. */
  readonly counted?: Counted;
}
