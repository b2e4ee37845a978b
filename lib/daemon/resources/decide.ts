/** Which of the objects that Kubernetes tells of this node takes, and what becomes of those that it had. */
import { isDeepStrictEqual } from "node:util";
import { lookUp } from "#lib/config/complaint.ts";
import { poolsIn } from "#lib/config/edge-mistakes.ts";
import { isText } from "#lib/config/leaves.ts";
import { listAt } from "#lib/config/overlaps.ts";
import { RESOURCE_KINDS } from "#lib/config/resource-kinds.ts";
import type { Beside, Refusal, Resource, Together } from "#lib/config/resources.ts";

export interface Decided<Of extends Resource> {
  /** In the order in which they count. */
  readonly taken: readonly Resource[];
  readonly config: Together["config"];
  /** Why what was told does not count; absent: it does. Whatever this node still has of earlier ones is left out. */
  readonly refused: ReadonlyMap<Of, Refusal>;
  /** What those that count name that is not there. */
  readonly lacking: ReadonlyMap<Of, string>;
}

/**
 * What is used here is not taken from under its users: one that is deleted, or is another now than pods were attached
 * with, goes on for those that use it and takes nothing more. One that has been made wrong stays as it was, and of those
 * that cannot be together what was there before the others came.
 * @param before what this node had
 * @param told the older one first
 */
export function decide<Of extends Resource>(
  before: readonly Resource[],
  told: readonly Of[],
  beside: Beside,
  isUsedByPods: (resource: Resource) => boolean,
): Decided<Of> {
  const isUsed = inUse(before, isUsedByPods);
  const had = new Map(before.map((each) => [keyOf(each), each]));
  const there = new Set(told.map(keyOf));
  const leaving: Resource[] = [];
  const wanted: Of[] = [];
  for (const each of told) {
    const earlier = had.get(keyOf(each));
    if (earlier !== undefined && isAnother(earlier, each) && isUsed(earlier)) leaving.push(left(earlier));
    else wanted.push(each);
  }
  for (const each of before) if (!there.has(keyOf(each)) && isUsed(each)) leaving.push(left(each));

  const settled = settle(before, [...leaving, ...wanted], beside);
  const { refused, lacking } = leaving.length === 0 ? settled : settle(before, told, beside);
  return {
    taken: settled.taken,
    config: settled.config,
    refused: refused as ReadonlyMap<Of, Refusal>,
    lacking: lacking as ReadonlyMap<Of, string>,
  };
}

function settle(before: readonly Resource[], wanted: readonly Resource[], beside: Beside): Decided<Resource> {
  const had = new Map(before.map((each, place) => [keyOf(each), { each, place }]));
  const isAsBefore = (each: Resource) => isDeepStrictEqual(had.get(keyOf(each))?.each.spec, each.spec);
  const placeOf = (each: Resource) => (isAsBefore(each) ? had.get(keyOf(each))?.place : undefined) ?? before.length;
  const inOrder = (all: readonly Resource[]) => all.toSorted((one, other) => placeOf(one) - placeOf(other));

  const first = beside(inOrder(wanted));
  const instead = new Map(
    wanted.map((each) => {
      const earlier = had.get(keyOf(each))?.each;
      return [each, first.refused.has(each) && earlier !== undefined && !isAsBefore(each) ? earlier : each];
    }),
  );
  const all = inOrder([...instead.values()]);
  const final = first.refused.size === 0 ? first : beside(all);
  const found = <T>(of: (judged: Together) => ReadonlyMap<Resource, T>): Map<Resource, T> =>
    new Map(
      [...instead].flatMap(([each, now]) => {
        const said = of(now === each ? final : first).get(each);
        return said === undefined ? [] : [[each, said]];
      }),
    );
  return {
    taken: all.filter((each) => !final.refused.has(each)),
    config: final.config,
    refused: found(({ refused }) => refused),
    lacking: found(({ lacking }) => lacking),
  };
}

/** Those of the earlier ones that are not there any more, or are others now. */
export function goneOf(before: readonly Resource[], now: readonly Resource[]): Resource[] {
  const has = new Map(now.map((each) => [keyOf(each), each]));
  return before.filter((each) => {
    const next = has.get(keyOf(each));
    return next === undefined || isAnother(each, next);
  });
}

/**
 * What a network names it needs as a whole: those that use it use its tenant, its pools and its planes. What a router names
 * it leads to until it says otherwise.
 */
export function inUse(
  among: readonly Resource[],
  isUsedByPods: (resource: Resource) => boolean,
): (resource: Resource) => boolean {
  let needed: Set<string> | undefined;
  return (resource) => {
    if (isUsedByPods(resource)) return true;
    needed ??= neededBy(among, isUsedByPods);
    return needed.has(keyOf(resource));
  };
}

function neededBy(among: readonly Resource[], isUsedByPods: (resource: Resource) => boolean): Set<string> {
  const networks = new Map(among.filter(({ kind }) => kind === "Network").map((each) => [keyOf(each), each]));
  const ofRouters = among.flatMap(({ kind, spec }) => (kind === "Router" ? poolsOfRouter(spec) : []));
  const used = [...networks].filter(([, each]) => isUsedByPods(each)).map(([key]) => key);
  const needed = new Set([...used, ...ofRouters.map((name) => keyOf({ kind: "AddressPool", name }))]);
  // What is added on the way is visited, too.
  for (const key of needed) for (const name of namedBy(networks.get(key))) needed.add(name);
  return needed;
}

/** Keys of what a network's settings name. */
function namedBy(network: Resource | undefined): string[] {
  const spec = network?.spec;
  const pools = [lookUp(spec, ["pool"]), ...listAt(spec, "pools")];
  const planes = listAt(spec, "planes").map((plane) =>
    typeof plane === "string" ? plane : lookUp(plane, ["network"]),
  );
  const keys = (of: Resource["kind"], names: readonly unknown[]) =>
    names.filter((name) => typeof name === "string").map((name) => keyOf({ kind: of, name }));
  return [...keys("Tenant", [lookUp(spec, ["tenant"])]), ...keys("AddressPool", pools), ...keys("Network", planes)];
}

const poolsOfRouter = (spec: unknown): string[] => poolsIn(spec).flatMap(([, pool]) => (isText(pool) ? [pool] : []));

/** Only the API server's rules keep an object from becoming another, and one of its name that is made anew is. */
function isAnother(earlier: Resource, now: Resource): boolean {
  const kept = RESOURCE_KINDS.find(({ kind }) => kind === now.kind)?.kept ?? [];
  const [one, other] = [earlier.spec as Record<string, unknown>, (now.spec ?? {}) as Record<string, unknown>];
  return kept.some((key) => !isDeepStrictEqual(one[key], other[key]));
}

const left = ({ kind, name, spec }: Resource): Resource => ({ kind, name, spec, isLeaving: true });

export const keyOf = ({ kind, name }: Pick<Resource, "kind" | "name">): string => `${kind} ${name}`;
