/** What a source of objects tells, read: what cannot be read is told of, and what it was before stands. */
import { isFailure } from "#lib/errors.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import type { Log } from "#lib/log.ts";
import type { Enforcement } from "#lib/policy/enforcement.ts";
import { type PolicyObject, readManifest } from "#lib/policy/manifest.ts";
import { type Namespace, type Policy, podKey } from "#lib/policy/objects.ts";

export interface Heard {
  readonly listener: Listener;
  /** Everything was told once, and all of it could be read. */
  readonly isComplete: boolean;
  /** What cannot be read now, by the source's name for it. */
  readonly refused: ReadonlyMap<string, string>;
}

/** `onTold`: the enforcement knows of everything that was told. */
export function hearing(enforcement: Enforcement, log: Log, onTold: () => void): Heard {
  const objects = new Map<string, readonly PolicyObject[]>();
  const refused = new Map<string, string>();
  let isTold = false;
  let isComplete = false;
  let isNew = true;

  const refuse = (name: string, message: string) => {
    refused.set(name, message);
    log({ event: "policy-refused", object: name, message });
  };
  const forget = (name: string, except: ReadonlySet<string>) => {
    for (const object of objects.get(name) ?? [])
      if (object.kind !== "Pod") isNew = true;
      else if (!except.has(podKey(object.value))) enforcement.removePod(podKey(object.value));
    objects.delete(name);
  };

  const listener: Listener = {
    put(name, object) {
      try {
        const read = readManifest(object);
        forget(name, new Set(read.flatMap((each) => (each.kind === "Pod" ? [podKey(each.value)] : []))));
        objects.set(name, read);
        refused.delete(name);
        for (const each of read)
          if (each.kind === "Pod") enforcement.putPod(each.value);
          else isNew = true;
      } catch (error) {
        if (!isFailure(error, "config-invalid")) throw error;
        refuse(name, error.message);
      }
    },
    remove(name) {
      forget(name, new Set());
      refused.delete(name);
    },
    told() {
      const all = [...objects.values()].flat();
      if (isNew)
        enforcement.setRules(
          all.flatMap((each): Policy[] => (each.kind === "Policy" ? [each.value] : [])),
          new Map(
            all.flatMap((each): [string, Namespace][] =>
              each.kind === "Namespace" ? [[each.value.name, each.value]] : [],
            ),
          ),
        );
      isNew = false;
      isTold = true;
      isComplete ||= refused.size === 0;
      onTold();
    },
    failed(name, message) {
      refuse(name, message);
      if (isTold) onTold();
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
