/** What this node took of Kubernetes last, in its own store: a daemon that starts while the API server is away begins with it. */
import { isDeepStrictEqual } from "node:util";
import { RESOURCE_KINDS } from "#lib/config/resource-kinds.ts";
import type { Resource } from "#lib/config/resources.ts";
import { fields, integer, oneOf, readable, root, text } from "#lib/parse.ts";
import type { Change, Named } from "#lib/store/store.ts";
import { keyOf } from "./decide.ts";

const PREFIX = "resource/";
const KINDS = RESOURCE_KINDS.map(({ kind }) => kind);

/** What cannot be read any more is told again. */
export const keptOf = (own: readonly Named[]): Resource[] =>
  own
    .filter(({ name }) => name.startsWith(PREFIX))
    .flatMap(({ value }) => readable(() => [readKept(value)]) ?? [])
    .sort((one, other) => one.place - other.place)
    .map(({ resource }) => resource);

function readKept(value: string): { readonly place: number; readonly resource: Resource } {
  const at = fields(root(JSON.parse(value)));
  return {
    place: integer(at("place"), { min: 0, max: Number.MAX_SAFE_INTEGER }),
    resource: {
      kind: oneOf(at("kind"), KINDS),
      name: text(at("name")),
      spec: at("spec").value,
      ...(at("isLeaving").value === true ? { isLeaving: true } : {}),
    },
  };
}

const recordsOf = (taken: readonly Resource[]): Map<string, string> =>
  new Map(
    taken.map(({ kind, name, spec, isLeaving }, place) => [
      `${PREFIX}${keyOf({ kind, name })}`,
      JSON.stringify({ kind, name, spec, place, isLeaving }),
    ]),
  );

/** Empty where it is the same. */
export function changesOf(before: readonly Resource[], now: readonly Resource[]): Change[] {
  const [had, has] = [recordsOf(before), recordsOf(now)];
  if (isDeepStrictEqual(had, has)) return [];
  return [
    ...[...had.keys()].filter((name) => !has.has(name)).map((name): Change => ({ remove: "own", name })),
    ...[...has]
      .filter(([name, value]) => had.get(name) !== value)
      .map(([name, value]): Change => ({ put: "own", value: { name, value } })),
  ];
}
