/** What the suite is run against: any CNI plugin, or a chain of them, seen from outside. */
import type { Node } from "./node.ts";

export const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type Version = (typeof VERSIONS)[number];

/** What a subject claims to do. A case names what it needs, and runs where all of it is claimed. */
export const TRAITS = [
  "bandwidth",
  "bridge",
  "chained",
  "check-link",
  "check-routes",
  "dual-stack",
  "gc",
  "hairpin",
  "host-end",
  "host-ports",
  "ips",
  "late-del",
  "localhost-ports",
  "mac",
  "masquerade",
  "mtu",
  "name-taken",
  "node-to-pod",
  "own-ipam",
  "planes",
  "reached",
  "result-mtu",
  "route-fields",
  "routed",
  "sctp",
  "selvedge",
  "several",
  "spoof-protection",
  "status",
] as const;
export type Trait = (typeof TRAITS)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface Subject extends AsyncDisposable {
  readonly traits: readonly Trait[];
  readonly versions: readonly Version[];
  /** Directories with plugins: CNI_PATH, and where a `type` is looked up. */
  readonly path: readonly string[];
  /** For each container's namespace, before anything is in it. */
  house?(namespace: string): Promise<void>;
  /** Before each case: puts back what a case may have used up. */
  prepare?(): Promise<void>;
  /** After each case, when all is taken away that was added: ends what would stay a while for others to use. */
  tidy?(): Promise<void>;
  /** What the plugins need in their environment besides CNI_*. */
  readonly environment: Readonly<Record<string, string>>;
  /** The chain of plugin configurations for a network, with `wish` laid over the first. */
  plugins(wish: JsonObject): readonly JsonObject[];
}

/** A subject before it is opened: enough to know which cases it will run. */
export interface Described extends Pick<Subject, "traits" | "versions"> {
  readonly name: string;
  /** Kind of link that not every kernel has. */
  readonly kernel?: "ipvlan" | "vlan";
  /** Prepares it on a node; `directory` is empty and its own. */
  open(node: Node, directory: string): Promise<Subject>;
}

/** `over` laid over `base`: objects are merged, anything else replaces. */
export function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isObject(below) && isObject(value) ? overlay(below, value) : value;
  }
  return merged;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
