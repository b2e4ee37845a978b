/** Pods with the same labels in the same namespace: what selectors hold for is found out once for all of them. */
import { isWho } from "./decide.ts";
import type { Labels, NamedPort, Pod, Policy, Who } from "./objects.ts";
import type { Traits } from "./peer-classes.ts";

export interface PodKind {
  readonly namespace: string;
  readonly labels: Labels;
  /** Keys of the choices that it is among, sorted. */
  selected: readonly string[];
  /** Those that select it, once somebody has asked. */
  policies?: readonly Policy[];
  members: number;
  /** Of one of its pods, and of most of them. */
  ports: readonly NamedPort[];
  /** What its pods have joined, those of them that nothing else tells apart. */
  plain?: Traits;
}

export interface PodKinds extends Iterable<PodKind> {
  join(pod: Pick<Pod, "namespace" | "labels">): PodKind;
  leave(kind: PodKind): void;
  /** Other choices, or other labels of some namespaces; returns the kinds that are now among others. */
  choose(
    whos: ReadonlyMap<string, Who>,
    namespaceLabels: (name: string) => Labels,
    relabelled: ReadonlySet<string>,
  ): PodKind[];
}

export function podKinds(): PodKinds {
  const byText = new Map<string, PodKind>();
  let chosen: ReadonlyMap<string, Who> = new Map();
  let world: { namespaceLabels: (name: string) => Labels } = { namespaceLabels: () => ({}) };

  const among = (kind: Pick<PodKind, "namespace" | "labels">, whos: ReadonlyMap<string, Who>): string[] => {
    const keys: string[] = [];
    for (const [key, who] of whos) if (isWho(world, who, kind)) keys.push(key);
    return keys;
  };

  return {
    [Symbol.iterator]: () => byText.values(),
    join({ namespace, labels }) {
      const text = textOf({ namespace, labels });
      let kind = byText.get(text);
      if (kind === undefined) {
        kind = { namespace, labels, selected: among({ namespace, labels }, chosen).sort(), members: 0, ports: [] };
        byText.set(text, kind);
      }
      kind.members++;
      return kind;
    },
    leave(kind) {
      if (--kind.members === 0) byText.delete(textOf(kind));
    },
    choose(whos, namespaceLabels, relabelled) {
      const added = new Map<string, Who>();
      for (const [key, who] of whos) if (!chosen.has(key)) added.set(key, who);
      const gone = new Set<string>();
      for (const key of chosen.keys()) if (!whos.has(key)) gone.add(key);
      chosen = whos;
      world = { namespaceLabels };
      const changed: PodKind[] = [];
      if (added.size + gone.size + relabelled.size === 0) return changed;
      for (const kind of byText.values()) {
        const isAnew = relabelled.has(kind.namespace);
        const fresh = among(kind, isAnew ? whos : added);
        const kept = isAnew ? [] : kind.selected.filter((key) => !gone.has(key));
        if (fresh.length === 0 && kept.length === kind.selected.length) continue;
        kind.selected = [...kept, ...fresh].sort();
        changed.push(kind);
      }
      return changed;
    },
  };
}

const textOf = ({ namespace, labels }: Pick<PodKind, "namespace" | "labels">): string =>
  JSON.stringify([namespace, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
