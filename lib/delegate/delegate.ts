/** Other CNI plugins as functions: the port. SPEC 1.1.0, section 4: "Plugin Delegation". */
import type { Result, Verb, Version } from "#lib/cni/types.ts";

export interface Delegation {
  /** Binary name, `ipam.type` of the configuration; no path. */
  readonly plugin: string;
  readonly verb: Exclude<Verb, "VERSION">;
  /** CNI_PATH: where plugins are looked for, separated by colons. */
  readonly path: string;
  /** Empty for GC and STATUS. */
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  /** The complete network configuration as our own standard input had it. */
  readonly config: Uint8Array;
  /** Version of the configuration: that of a result that does not say its own. */
  readonly cniVersion: Version;
  /** The plugin and what it has started are killed after this time. */
  readonly deadlineMs: number;
}

/**
 * Runs a plugin. The result is that of ADD, in the newest version; other verbs have none.
 * @throws SelvedgeError delegate (its code and message are kept), deadline, config-invalid (name of the plugin)
 */
export type Delegate = (delegation: Delegation) => Promise<Result | undefined>;

/** What a plugin says on standard error, for the log. */
export type Overheard = (plugin: string, text: string) => void;
