/** What a source of objects tells, read: what cannot be read is told of, and what it was before stands. */
import { isDeepStrictEqual } from "node:util";
import { isFailure } from "#lib/errors.ts";
import { CONFIGURED, DEFINITIONS, PODS } from "#lib/k8s/api/resource.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import type { Log } from "#lib/log.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import { type PolicyObject, readManifest } from "#lib/policy/manifest.ts";
import { type Namespace, type Pod, type Policy, podKey } from "#lib/policy/objects.ts";

export interface Heard {
  readonly listener: Listener;
  /** Everything that policies are made of was told once, and all of it could be read. */
  readonly isComplete: boolean;
  /** What cannot be read now, by the source's name for it. */
  readonly refused: ReadonlyMap<string, string>;
  /** The first of it that policies are made of. */
  lacking(): readonly [name: string, message: string] | undefined;
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
  /** Keys of the pods that names stand for, where the names do not say it themselves. */
  const pods = new Map<string, readonly string[]>();
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
    for (const each of next)
      if (each.kind === "Policy")
        for (const message of each.value.closed ?? []) log({ event: "policy-closed", object: name, message });
  };
  const leavePods = (name: string, kept: readonly string[]) => {
    for (const key of pods.get(name) ?? saidBy(name))
      if (!kept.includes(key)) {
        enforcement.removePod(key);
        others?.remove(key);
      }
    pods.delete(name);
  };

  const lacking = () => [...refused].find(([name]) => !BESIDE.has(name));

  const listener: Listener = {
    put(name, object) {
      try {
        const read = readManifest(object);
        const podsOfIt = read.flatMap((each) => (each.kind === "Pod" ? [each.value] : []));
        putRules(
          name,
          read.filter((each) => each.kind !== "Pod"),
        );
        const keys = podsOfIt.map(podKey);
        leavePods(name, keys);
        if (keys.join() !== saidBy(name).join()) pods.set(name, keys);
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
      leavePods(name, []);
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
      isComplete ||= lacking() === undefined;
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
    lacking,
  };
}

/** Names of what a source may be refused without any policy lacking. */
const BESIDE: ReadonlySet<string> = new Set([DEFINITIONS, ...CONFIGURED].map(({ plural }) => plural));

const POD = `${PODS.plural}/`;

/** An API server's name for a pod says which it is; it tells of hundreds of thousands. */
const saidBy = (name: string): readonly string[] => (name.startsWith(POD) ? [name.slice(POD.length)] : []);
