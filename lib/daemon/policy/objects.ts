/** What a source of objects tells, read: what cannot be read is told of, and what it was before stands. */
import { isDeepStrictEqual } from "node:util";
import { isFailure } from "#lib/errors.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import type { Log } from "#lib/log.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import { type PolicyObject, readManifest } from "#lib/policy/manifest.ts";
import { type Namespace, type Pod, type Policy, podKey } from "#lib/policy/objects.ts";

export interface Heard {
  readonly listener: Listener;
  /** Everything was told once, and all of it could be read. */
  readonly isComplete: boolean;
  /** What cannot be read now, by the source's name for it. */
  readonly refused: ReadonlyMap<string, string>;
}

/** Who else wants to know of pods. */
export interface PodListener {
  put(pod: Pod): void;
  /** @param key `namespace/name` */
  remove(key: string): void;
  /** What was told so far belongs together. */
  told(): void;
}

type Rule = Exclude<PolicyObject, { readonly kind: "Pod" }>;

/** `onTold`: the enforcement knows of everything that was told, or something cannot be had; `isNew`: policies or namespaces are others. */
export function hearing(
  enforcement: Enforcement,
  log: Log,
  onTold: (isNew: boolean) => void,
  others: PodListener | undefined,
): Heard {
  const rules = new Map<string, readonly Rule[]>();
  /** Of hundreds of thousands, so by their keys alone, which have no spaces between them. */
  const pods = new Map<string, string>();
  const refused = new Map<string, string>();
  let isTold = false;
  let isComplete = false;
  let isNew = true;

  const refuse = (name: string, message: string) => {
    refused.set(name, message);
    log({ event: "policy-refused", object: name, message });
  };
  const readable = (name: string) => {
    if (refused.delete(name)) log({ event: "policy-readable", object: name });
  };
  const putRules = (name: string, next: readonly Rule[]) => {
    if (isDeepStrictEqual(rules.get(name) ?? [], next)) return;
    if (next.length === 0) rules.delete(name);
    else rules.set(name, next);
    isNew = true;
  };
  const putPods = (name: string, next: readonly string[]) => {
    const before = pods.get(name);
    const now = next.length === 1 ? next[0] : next.join(" ");
    if (before === now) return;
    for (const key of before?.split(" ") ?? [])
      if (!next.includes(key)) {
        enforcement.removePod(key);
        others?.remove(key);
      }
    if (now === undefined || now === "") pods.delete(name);
    else pods.set(name, now);
  };

  const listener: Listener = {
    put(name, object) {
      try {
        const read = readManifest(object);
        const podsOfIt = read.flatMap((each) => (each.kind === "Pod" ? [each.value] : []));
        putRules(
          name,
          read.filter((each) => each.kind !== "Pod"),
        );
        putPods(name, podsOfIt.map(podKey));
        for (const pod of podsOfIt) {
          enforcement.putPod(pod);
          others?.put(pod);
        }
        readable(name);
      } catch (error) {
        if (!isFailure(error, "config-invalid")) throw error;
        refuse(name, error.message);
      }
    },
    remove(name) {
      putRules(name, []);
      putPods(name, []);
      readable(name);
    },
    told() {
      if (isNew) {
        const all = [...rules.values()].flat();
        enforcement.setRules(
          all.flatMap((each): Policy[] => (each.kind === "Policy" ? [each.value] : [])),
          new Map(
            all.flatMap((each): [string, Namespace][] =>
              each.kind === "Namespace" ? [[each.value.name, each.value]] : [],
            ),
          ),
        );
      }
      const wasNew = isNew;
      isNew = false;
      isTold = true;
      isComplete ||= refused.size === 0;
      onTold(wasNew);
      others?.told();
    },
    failed(name, message) {
      refuse(name, message);
      if (isTold) onTold(false);
    },
  };
  return {
    listener,
    get isComplete() {
      return isComplete;
    },
    refused,
  };
}
