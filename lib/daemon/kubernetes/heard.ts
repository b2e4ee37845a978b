/** What a source of objects tells besides policies, as far as attachments use it: annotations of pods, definitions of networks. */
import { type Definition, definitionName, readDefinition } from "#lib/cni/network-definition.ts";
import type { Listener } from "#lib/k8s/objects.ts";
import { entries, type Found, fields, list, readable, root, text } from "#lib/parse.ts";

export type Annotations = Readonly<Record<string, string>>;

export interface Heard {
  readonly listener: Listener;
  /** @param pod `namespace/name`. Undefined: none that count. */
  annotations(pod: string): Annotations | undefined;
  /** @param name `namespace/name` */
  definition(name: string): Definition | undefined;
}

export interface HearingOptions {
  /** Whether an annotation of that pod (`namespace/name`) is kept: of hundreds of thousands of pods few have one that counts. */
  readonly counts: (key: string, pod: string) => boolean;
  /** Whether definitions are. */
  readonly definitions: boolean;
}

/** What cannot be read is told of by whoever reads policies, or by the ADD that needs it. */
export function hearing({ counts, definitions: areDefinitionsKept }: HearingOptions): Heard {
  const pods = new Map<string, Annotations>();
  const definitions = new Map<string, Definition>();
  /** Under the source's name for an object: how what is kept of it is taken away. */
  const kept = new Map<string, readonly (() => boolean)[]>();

  const keepPod = (object: Found): (() => boolean)[] => {
    const metadata = fields(fields(object)("metadata"));
    const pod = `${text(metadata("namespace"), { or: "default" })}/${text(metadata("name"))}`;
    const own = entries(metadata("annotations")).filter(([key]) => counts(key, pod));
    if (own.length === 0) return [];
    const annotations = Object.fromEntries(own.map(([key, value]) => [key, text(value)]));
    pods.set(pod, annotations);
    return [() => pods.get(pod) === annotations && pods.delete(pod)];
  };
  const keepDefinition = (object: Found): (() => boolean)[] => {
    const definition = readDefinition(object);
    const name = definitionName(definition);
    definitions.set(name, definition);
    return [() => definitions.get(name) === definition && definitions.delete(name)];
  };
  const keep = (object: Found): (() => boolean)[] => {
    const at = fields(object);
    const kind = text(at("kind"));
    // Each for itself: what is kept of one must be known when another cannot be read.
    if (kind === "List") return list(at("items")).flatMap((item) => readable(() => keep(item)) ?? []);
    const what = `${text(at("apiVersion"))} ${kind}`;
    if (what === "v1 Pod") return keepPod(object);
    return areDefinitionsKept && what === "k8s.cni.cncf.io/v1 NetworkAttachmentDefinition"
      ? keepDefinition(object)
      : [];
  };
  const remove = (name: string): void => {
    for (const take of kept.get(name) ?? []) take();
    kept.delete(name);
  };

  return {
    listener: {
      put(name, object) {
        remove(name);
        const undo = readable(() => keep(root(object))) ?? [];
        if (undo.length > 0) kept.set(name, undo);
      },
      remove,
      told: () => {},
      failed: () => {},
    },
    annotations: (pod) => pods.get(pod),
    definition: (name) => definitions.get(name),
  };
}
