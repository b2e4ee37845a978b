/** The daemon's configuration: one type, one parse. No file at all is a working configuration. */
import type { z } from "zod";
import type { Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { nearest } from "#lib/nearest.ts";
import type { Cluster } from "./cluster.ts";
import { type Complaint, lookUp, pathText } from "./complaint.ts";
import { complete } from "./complete.ts";
import type { Edge } from "./edge.ts";
import type { Network, NetworkDefaults, PlaneRule } from "./network.ts";
import type { ConfiguredPool, DeclaredReservation, PoolRule } from "./pools.ts";
import { references } from "./references.ts";
import { SCHEMA, type Shape } from "./schema.ts";
import { isSecretAt, keysAt, SECRET_NAMES, typeOfObjectAt } from "./settings.ts";
import type { Sriov } from "./sriov.ts";
import type { Routers, Tenant } from "./tenant.ts";
import { type Mistake, type Path, readYaml } from "./yaml.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Config {
  readonly socket: string;
  readonly stateDir: string;
  readonly queueDirs: readonly string[];
  readonly log: { readonly level: LogLevel };
  readonly workers: number;
  readonly queueLimit: number;
  readonly shutdownSeconds: number;
  readonly ipam: { readonly coolDownSeconds: number };
  readonly pools: readonly ConfiguredPool[];
  /** In the order in which they are tried. */
  readonly poolRules: readonly PoolRule[];
  /** Those that this file declares. */
  readonly reservations: readonly DeclaredReservation[];
  /** One of `pools`. */
  readonly defaultPool: string;
  /** What a network is unless it says otherwise. */
  readonly defaults: NetworkDefaults;
  /** By name. */
  readonly networks: ReadonlyMap<string, Network>;
  /** In the order in which they are asked. */
  readonly planeRules: readonly PlaneRule[];
  readonly sriov: Sriov;
  /** By name. */
  readonly tenants: ReadonlyMap<string, Tenant>;
  readonly routers: Routers;
  /** Absent: the node is alone. */
  readonly cluster?: Cluster;
  /** Absent: no routers, now or ever. */
  readonly edge?: Edge;
  /** Absent: the node has nothing to do with an API server. */
  readonly kubernetes?: Kubernetes;
  /** Absent: everybody reaches everybody. */
  readonly policies?: Policies;
  /** Pods are on networks of NetworkAttachmentDefinitions as well, and are told so in their network status. */
  readonly attachmentDefinitions: boolean;
  readonly noMasquerade: readonly Prefix[];
  readonly routerAdvertisedLinks: readonly string[];
  readonly reconcile: { readonly everySeconds: number; readonly debounceMs: number };
}

/** How the API server is reached. */
export interface Kubernetes {
  /** Absent: as the service account of the daemon's pod. */
  readonly kubeconfig?: string;
  /** Its tenants, pools, networks and routers count, too. */
  readonly resources: boolean;
}

/** Where network policies come from. */
export interface Policies {
  /** Absent: from Kubernetes. */
  readonly directory?: string;
  /** A line in the log for every flow that they deny. */
  readonly logDenied: boolean;
  /** What they deny is counted, and goes on. */
  readonly audit: boolean;
}

/**
 * Reads the YAML text of `file`; an empty text is the default configuration.
 * @throws SelvedgeError config-invalid, once, with a line for everything that is wrong
 */
export function parseConfig(text: string, file = "configuration"): Config {
  const yaml = readYaml(text);
  if (yaml.mistakes.length > 0) throw invalid(file, yaml.mistakes);
  const { complaints, shape } = judge(yaml.value ?? {});
  const mistakes = complaints.map(({ path, key, text }) => ({ ...yaml.place(path, key), text }));
  if (shape === undefined || mistakes.length > 0) throw invalid(file, mistakes);
  return complete(shape);
}

/** What is wrong with it, and what it says as far as its shape is right. */
export function judge(value: unknown): { readonly complaints: readonly Complaint[]; readonly shape?: Shape } {
  const { error, data } = SCHEMA.safeParse(value);
  return {
    complaints: [...(error?.issues ?? []).flatMap((issue) => explain(issue, value)), ...references(value)],
    ...(data === undefined ? {} : { shape: data }),
  };
}

function explain(issue: z.core.$ZodIssue, root: unknown): Complaint[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const meant = nearest(key, keysAt(path));
      const where = pathText([...path, key]);
      const known = keysAt(path).join(", ");
      return {
        path,
        key,
        text: `${where}: unknown setting; ${meant ? `did you mean "${meant}"?` : `known: ${known}`}`,
      };
    });
  const found = lookUp(root, path);
  const what = found === undefined ? "is missing; it must be" : `${shown(found, path)} is not`;
  const text = `${pathText(path)}: ${what}`;
  const ofObject = typeOfObjectAt(path);
  const own = ofObject === undefined ? {} : { textOfObject: `${text} ${ofObject}` };
  return [{ path, text: `${text} ${issue.message}`, ...own }];
}

/** RFC 3986 section 3.2.1. */
const CREDENTIALS = /\/\/[^/@\s"]*@/g;

/** A value in few words; a secret that stands where its place should be said is not shown. */
function shown(value: unknown, path: Path): string {
  if (isSecretAt(path)) return "what stands there";
  const hidden = (key: string, member: unknown) => (SECRET_NAMES.has(key) ? "(not shown)" : member);
  const text = (JSON.stringify(value, hidden) ?? String(value)).replaceAll(CREDENTIALS, "//(not shown)@");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function invalid(file: string, mistakes: readonly Mistake[]): SelvedgeError {
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted.map(({ line, column, text }) => `${file}${line > 0 ? `:${line}:${column}` : ""}: ${text}`);
  return new SelvedgeError({ kind: "config-invalid", field: file }, lines.join("\n"), {
    hint: "The README's configuration reference lists every setting.",
  });
}
