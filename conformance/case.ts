/** Cases as data: a name, what a subject must claim for it, and steps. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject, type Json, type JsonObject, type Subject, TRAITS, type Trait, type Version } from "./subject.ts";

interface Whose {
  /** Defaults to eth0. */
  readonly ifname?: string;
  readonly network?: string;
  readonly config?: JsonObject;
  /** The error's code, or true for any error. */
  readonly fails?: number | true;
}

/**
 * What a step can be. Containers are named by letters and come to be at their first `add`; strings may hold
 * `${a.ip4}`, `${a/eth1.mac}`, `${node.ip6}`, `${outside.namespace}`.
 */
export type Step =
  | (Whose & {
      readonly add: string;
      /** The container whose namespace it gets; its own if absent. */
      readonly into?: string;
      readonly args?: string;
      readonly capabilities?: JsonObject;
    })
  | (Whose & { readonly check: string })
  | (Whose & {
      readonly del: string;
      /** CNI_NETNS: as at `add`, a path where nothing is, or not there. */
      readonly netns?: "gone" | "unset";
      readonly prevResult?: false;
    })
  /** Pairs of container and interface; null is null, "absent" leaves the key out. */
  | (Whose & { readonly gc: readonly (readonly [string, string])[] | null | "absent" })
  | (Whose & { readonly status: true })
  /** Removes a container's namespace; `renew` puts a fresh one at its path. */
  | { readonly leave: string }
  | { readonly renew: string }
  /** Breaks or prepares something, in a container, in "node" or in "outside". */
  | { readonly run: readonly string[]; readonly in: string }
  /** Something that prints JSON has an object with these properties somewhere, or has none. */
  | { readonly see: readonly string[]; readonly in: string; readonly has?: JsonObject; readonly lacks?: JsonObject }
  | { readonly ping: string; readonly from: string; readonly source?: string; readonly fails?: true }
  | { readonly serve: string; readonly port: number; readonly protocol?: Protocol }
  | {
      readonly ask: string;
      readonly port: number;
      readonly from: string;
      readonly protocol?: Protocol;
      /** Who answers, and from which address it saw the question. */
      readonly answers?: string;
      readonly seenAs?: string;
      readonly fails?: true;
      /** Sent before the answer is awaited; with `takesMs` the time of all of it is held between the two. */
      readonly bytes?: number;
      readonly takesMs?: readonly [atLeast: number, atMost: number];
    };

export type Protocol = "tcp" | "udp" | "sctp";

export interface Case {
  readonly name: string;
  readonly needs?: readonly Trait[];
  /** Absent: the newest that the subject speaks. */
  readonly versions?: "all" | readonly Version[];
  readonly config?: JsonObject;
  readonly steps: readonly Step[];
}

const DIRECTORY = join(import.meta.dirname, "cases");

/** Every case of every file below cases/. @throws Error for an empty folder or file, and for a trait that nobody knows */
export function allCases(): Case[] {
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json"));
  if (files.length === 0) throw new Error(`${DIRECTORY} holds no cases`);
  return files.flatMap((file) => casesOf(readFileSync(join(DIRECTORY, file), "utf8"), file));
}

export function casesOf(text: string, file: string): Case[] {
  const cases: Json = JSON.parse(text);
  if (!Array.isArray(cases) || cases.length === 0) throw new Error(`${file} holds no cases`);
  for (const one of cases) {
    const right = isObject(one) && typeof one.name === "string" && Array.isArray(one.steps) && one.steps.length;
    if (!right) throw new Error(`${file}: not a case: ${JSON.stringify(one)}`);
    const unknown = (Array.isArray(one.needs) ? one.needs : []).filter((need) => !TRAITS.some((t) => t === need));
    if (unknown.length > 0) throw new Error(`${file}: ${one.name}: nobody knows ${unknown.join(", ")}`);
  }
  return cases;
}

export const applies = ({ needs = [] }: Case, traits: readonly Trait[]): boolean =>
  needs.every((need) => traits.includes(need));

/** The versions of the specification that a case is run in. */
export function versionsOf({ versions = [] }: Case, subject: Pick<Subject, "versions">): readonly Version[] {
  if (versions === "all") return subject.versions;
  if (versions.length === 0) return subject.versions.slice(-1);
  return versions.filter((version) => subject.versions.includes(version));
}
