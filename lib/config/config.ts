/** The daemon's configuration: one type, one parse. No file at all is a working configuration. */
import type { z } from "zod";
import type { Address, Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { nearest } from "#lib/nearest.ts";
import type { Found } from "#lib/parse.ts";
import { SCHEMA, type Shape } from "./schema.ts";
import { keysAt } from "./settings.ts";
import { type Mistake, type Path, readYaml } from "./yaml.ts";

export type Attachment = "ptp" | "bridge";
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
  /** One of `pools`. */
  readonly defaultPool: string;
  /** What a network is unless it says otherwise. */
  readonly defaults: NetworkDefaults;
  /** By name. */
  readonly networks: ReadonlyMap<string, Network>;
  readonly noMasquerade: readonly Prefix[];
  readonly routerAdvertisedLinks: readonly string[];
  readonly reconcile: { readonly everySeconds: number; readonly debounceMs: number };
}

export interface ConfiguredPool {
  readonly name: string;
  /** host-local's `ranges`, as written; lib/ipam reads it. */
  readonly ranges: Found;
  readonly exclude: readonly Prefix[];
}

export interface NetworkDefaults {
  readonly attachment: Attachment;
  /** Bytes; absent: the path's. */
  readonly mtu?: number;
  readonly ipMasq: boolean;
  readonly spoofProtection: boolean;
}

/** Complete: what the file left out came from `defaults`. */
export interface Network extends NetworkDefaults {
  readonly name: string;
  /** One of `pools`. */
  readonly pool: string;
  readonly routes: readonly NetworkRoute[];
  readonly dns: NetworkDns;
  /** The attachment type's own settings, as written; the type reads them. */
  readonly options: Found;
}

export interface NetworkRoute {
  readonly to: Prefix;
  readonly via?: Address;
  readonly mtu?: number;
  readonly advmss?: number;
  readonly metric?: number;
  readonly table?: number;
  readonly scope?: number;
}

export interface NetworkDns {
  readonly nameservers?: readonly string[];
  readonly domain?: string;
  readonly search?: readonly string[];
  readonly options?: readonly string[];
}

/**
 * Reads the YAML text of `file`; an empty text is the default configuration.
 * @throws SelvedgeError config-invalid, once, with a line for everything that is wrong
 */
export function parseConfig(text: string, file = "configuration"): Config {
  const yaml = readYaml(text);
  if (yaml.mistakes.length > 0) throw invalid(file, yaml.mistakes);
  const value = yaml.value ?? {};
  const parsed = SCHEMA.safeParse(value);
  const mistakes = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value)),
    ...references(value),
  ].map(({ path, key, text }) => ({ ...yaml.place(path, key), text }));
  if (parsed.data === undefined || mistakes.length > 0) throw invalid(file, mistakes);
  return complete(parsed.data);
}

interface Complaint {
  readonly path: Path;
  readonly key?: string;
  readonly text: string;
}

/** `networks[0].mtu` */
export const pathText = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "") || "configuration";

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
  const shown = JSON.stringify(found) ?? String(found);
  const short = shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  const what = found === undefined ? "is missing; it must be" : `${short} is not`;
  return [{ path, text: `${pathText(path)}: ${what} ${issue.message}` }];
}

function lookUp(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined | null)?.[step];
  return value;
}

/** What must agree with something elsewhere in the file; looks past anything whose shape is wrong. */
function references(root: unknown): Complaint[] {
  const complaints: Complaint[] = [];
  const names = (key: "pools" | "networks"): string[] => {
    const members = lookUp(root, [key]);
    if (!Array.isArray(members)) return [];
    const seen = new Set<string>();
    members.forEach((_, i) => {
      const name = lookUp(members, [i, "name"]);
      if (typeof name !== "string") return;
      if (seen.has(name))
        complaints.push({
          path: [key, i, "name"],
          text: `${key}[${i}].name: "${name}" is the name of another one, too`,
        });
      seen.add(name);
    });
    return [...seen];
  };
  const pools = lookUp(root, ["pools"]) === undefined ? ["default"] : names("pools");
  const checkPool = (path: Path, name: unknown) => {
    if (typeof name !== "string" || pools.includes(name)) return;
    const meant = nearest(name, pools);
    const right = meant ? `did you mean "${meant}"?` : `known: ${pools.join(", ") || "none"}`;
    complaints.push({ path, text: `${pathText(path)}: there is no pool "${name}"; ${right}` });
  };
  checkPool(["defaultPool"], lookUp(root, ["defaultPool"]) ?? "default");
  const count = (lookUp(root, ["networks", "length"]) as number | undefined) ?? 0;
  for (let i = 0; i < count; i++) checkPool(["networks", i, "pool"], lookUp(root, ["networks", i, "pool"]));
  names("networks");
  return complaints;
}

function invalid(file: string, mistakes: readonly Mistake[]): SelvedgeError {
  const sorted = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const lines = sorted.map(({ line, column, text }) => `${file}${line > 0 ? `:${line}:${column}` : ""}: ${text}`);
  return new SelvedgeError({ kind: "config-invalid", field: file }, lines.join("\n"), {
    hint: "The README's configuration reference lists every setting.",
  });
}

function complete({ pools, networks, defaults: given, ...rest }: Shape): Config {
  const defaults = present(given);
  return {
    ...rest,
    defaults,
    pools: pools.map((pool, i) => ({ ...pool, ranges: { path: `pools[${i}].ranges`, value: pool.ranges } })),
    networks: new Map(
      networks.map(({ routes, dns, options, pool, ...network }, i) => [
        network.name,
        {
          ...defaults,
          ...present(network),
          pool: pool ?? rest.defaultPool,
          routes: routes.map(({ dst, gw, priority, ...more }) =>
            present({ to: dst, via: gw, metric: priority, ...more }),
          ),
          dns: present(dns),
          options: { path: `networks[${i}].options`, value: options },
        },
      ]),
    ),
  };
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The fields that have a value: absent is not undefined. */
const present = <T extends object>(of: T): Present<T> =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Present<T>;
