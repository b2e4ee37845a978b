/** One thing that is wrong with the configuration, and how its place is written. */
import { nearest } from "#lib/nearest.ts";
import type { Path } from "./yaml.ts";

export interface Complaint {
  readonly path: Path;
  /** A key of the object at `path` that is itself the mistake. */
  readonly key?: string;
  readonly text: string;
  /** In place of that where one of Kubernetes' objects says it. */
  readonly textOfObject?: string;
  /** The place of what it cannot be together with: without that it is right. */
  readonly against?: Path;
  /** Several settings make it wrong together, none by itself: of Kubernetes' objects the one that came last is refused. */
  readonly isOfSeveral?: true;
  /** What it names is not there, and may come: one of Kubernetes' objects counts without it. */
  readonly mayCome?: true;
}

/** `networks[0].mtu` */
export const pathText = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "") || "configuration";

/** What stands there in a value of unknown shape; undefined when nothing does. */
export function lookUp(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined | null)?.[step];
  return value;
}

export const complaint = (path: Path, text: string): Complaint => ({ path, text: `${pathText(path)}: ${text}` });

/** A name that leads nowhere. */
export function unknownName(path: Path, what: string, name: string, known: Iterable<string>): Complaint {
  const meant = nearest(name, known);
  const right = meant ? `did you mean "${meant}"?` : `known: ${[...known].join(", ") || "none"}`;
  return complaint(path, `there is no ${what} "${name}"; ${right}`);
}
