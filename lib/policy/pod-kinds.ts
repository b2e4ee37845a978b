/** Pods with the same labels in the same namespace: what selectors hold for is found out once for all of them. */
import { isWho } from "./decide.ts";
import type { Labels, Pod, Policy, Who } from "./objects.ts";

export interface PodKind {
  readonly namespace: string;
  readonly labels: Labels;
  /** Keys of the choices that it is among, sorted. */
  selected: readonly string[];
  /** Those that select it, once somebody has asked. */
  policies?: readonly Policy[];
  members: number;
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

  const among = (kind: Pick<PodKind, "namespace" | "labels">, whos: ReadonlyMap<string, Who>): string[] =>
    [...whos].filter(([, who]) => isWho(world, who, kind)).map(([key]) => key);

  return {
    [Symbol.iterator]: () => byText.values(),
    join({ namespace, labels }) {
      const text = textOf({ namespace, labels });
      let kind = byText.get(text);
      if (kind === undefined) {
        kind = { namespace, labels, selected: among({ namespace, labels }, chosen).sort(), members: 0 };
        byText.set(text, kind);
      }
      kind.members++;
      return kind;
    },
    leave(kind) {
      if (--kind.members === 0) byText.delete(textOf(kind));
    },
    choose(whos, namespaceLabels, relabelled) {
      const added = new Map([...whos].filter(([key]) => !chosen.has(key)));
      const gone = new Set([...chosen.keys()].filter((key) => !whos.has(key)));
      chosen = whos;
      world = { namespaceLabels };
      const changed: PodKind[] = [];
      for (const kind of byText.values()) {
        const selected = relabelled.has(kind.namespace)
          ? among(kind, whos)
          : [...kind.selected.filter((key) => !gone.has(key)), ...among(kind, added)];
        selected.sort();
        if (selected.join() === kind.selected.join()) continue;
        kind.selected = selected;
        changed.push(kind);
      }
      return changed;
    },
  };
}

const textOf = ({ namespace, labels }: Pick<PodKind, "namespace" | "labels">): string =>
  JSON.stringify([namespace, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
