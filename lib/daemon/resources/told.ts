/** Tenants, pools, networks and routers as Kubernetes tells of them. */
import { isDeepStrictEqual } from "node:util";
import { RESOURCE_KINDS } from "#lib/config/resource-kinds.ts";
import type { Resource } from "#lib/config/resources.ts";
import { GROUP, VERSION } from "#lib/k8s/api/resource.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import { absent, type Found, fields, integer, list, oneOf, readable, root, text } from "#lib/parse.ts";
import { type RouterSaid, readRouterSaid } from "./router-said.ts";

const API_VERSION = `${GROUP}/${VERSION}`;
const KINDS = RESOURCE_KINDS.map(({ kind }) => kind);

/** meta/v1 Condition. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly observedGeneration: number;
  /** As meta/v1 Time has it. */
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

export interface Told extends Resource {
  readonly uid: string;
  /** Counts the changes of what is wanted. */
  readonly generation: number;
  /** As meta/v1 Time has it. */
  readonly created: string;
  /** What became of it, as far as somebody has said so. */
  readonly conditions: readonly Condition[];
  /** Of a router: what else was said of it. */
  readonly router?: RouterSaid;
}

export interface HeardResources {
  readonly listener: Listener;
  /** Everything there is was told once. */
  readonly isTold: boolean;
  /** The older one first. */
  all(): readonly Told[];
}

/** @param onTold something may be other than before */
export function hearResources(onTold: () => void): HeardResources {
  const known = new Map<string, Told>();
  let isTold = false;
  let isNew = false;
  return {
    listener: {
      put(name, object) {
        const told = readable(() => readResource(root(object)));
        if (told === undefined) return;
        const earlier = known.get(name);
        // What is said of it is no news; one that was made anew is as old as that.
        isNew ||= earlier?.uid !== told.uid || !isDeepStrictEqual(earlier.spec, told.spec);
        known.set(name, told);
      },
      remove(name) {
        if (known.delete(name)) isNew = true;
      },
      told() {
        if (isTold && !isNew) return;
        isTold = true;
        isNew = false;
        onTold();
      },
      failed: () => {},
    },
    get isTold() {
      return isTold;
    },
    all: () => [...known.values()].sort(byAge),
  };
}

/** Undefined for what is something else. @throws SelvedgeError config-invalid: no server tells so */
function readResource(object: Found): Told | undefined {
  const at = fields(object);
  if (at("apiVersion").value !== API_VERSION || !KINDS.some((kind) => kind === at("kind").value)) return undefined;
  const metadata = fields(at("metadata"));
  return {
    kind: oneOf(at("kind"), KINDS),
    name: text(metadata("name")),
    spec: at("spec").value ?? {},
    uid: text(metadata("uid"), { or: "" }),
    generation: integer(metadata("generation"), { min: 0, max: Number.MAX_SAFE_INTEGER, or: 0 }),
    created: text(metadata("creationTimestamp"), { or: "" }),
    conditions: list(fields(at("status"))("conditions")).map(readCondition),
    ...(at("kind").value === "Router" ? { router: readRouterSaid(at("status")) } : {}),
  };
}

function readCondition(found: Found): Condition {
  const at = fields(found);
  const generation = at("observedGeneration");
  return {
    type: text(at("type")),
    status: oneOf(at("status"), ["True", "False", "Unknown"]),
    observedGeneration: absent(generation) ? 0 : integer(generation, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    lastTransitionTime: text(at("lastTransitionTime"), { or: "" }),
    reason: text(at("reason"), { or: "" }),
    message: text(at("message"), { or: "" }),
  };
}

const byAge = (one: Told, other: Told): number =>
  compare(one.created, other.created) || compare(one.kind, other.kind) || compare(one.name, other.name);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
