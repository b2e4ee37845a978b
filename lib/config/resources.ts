/** The configuration with objects of Kubernetes beside what the file says. One that is wrong is no part of it, and hurts no other. */

import { type Complaint, lookUp, pathText } from "./complaint.ts";
import { complete } from "./complete.ts";
import { type Config, judge } from "./config.ts";
import { culprit, firstAfterWhich } from "./culprit.ts";
import { fileOnlyIn } from "./file-only.ts";
import { RESOURCE_KINDS, type ResourceKind, type ResourceKindName } from "./resource-kinds.ts";
import { DEFAULT_POOLS, type Shape } from "./schema.ts";
import { readYaml } from "./yaml.ts";

export interface Resource {
  readonly kind: ResourceKindName;
  readonly name: string;
  /** As it was written. */
  readonly spec: unknown;
  /** It has been deleted, and what uses it goes on. */
  readonly isLeaving?: true;
}

/** Why it is no part of the configuration. */
export interface Refusal {
  /** For programs: one word. */
  readonly reason: "NameTaken" | "Invalid";
  /** Names the field, the value and what would be right. */
  readonly message: string;
}

export interface Together {
  readonly config: Config;
  readonly refused: ReadonlyMap<Resource, Refusal>;
  /** What those that count name that is not there. */
  readonly lacking: ReadonlyMap<Resource, string>;
}

/** Of two that cannot both be the earlier one counts. */
export type Beside = (resources: readonly Resource[]) => Together;

/**
 * @param text of a file that has no mistakes
 * @param mistakeIn what else is wrong with one of them by itself, as `spec.ranges: …`
 */
export function besideFile(text: string, mistakeIn: (resource: Resource) => string | undefined): Beside {
  const file = { pools: DEFAULT_POOLS, ...((readYaml(text).value ?? {}) as Record<string, unknown>) };
  const lists: Lists = new Map(RESOURCE_KINDS.map(({ kind, list }) => [kind, membersAt(file, list)]));
  const all = (resources: readonly Resource[]): unknown => laid(file, lists, resources);

  /** What they say together, and what is wrong with it: with one of them, and with the file. */
  const judged = (resources: readonly Resource[]) => {
    const { complaints, shape } = judge(all(resources));
    const byKind = Map.groupBy(resources, ({ kind }) => kind);
    const own = new Map<Resource, Wrong>();
    const lacking = new Map<Resource, string>();
    const ofSeveral: Shared[] = [];
    const ofFile: string[] = [];
    for (const each of complaints) {
      const of = ownerOf(lists, byKind, each.path);
      const against = each.against === undefined ? undefined : ownerOf(lists, byKind, each.against);
      if (each.isOfSeveral) ofSeveral.push({ ...each, of });
      else if (of === undefined) ofFile.push(besideFileSaid(each));
      else if (each.mayCome) lacking.set(of, saidOf(of, each));
      else if (!own.has(of)) own.set(of, { ...each, of, other: against });
    }
    return { own, ofSeveral, ofFile, lacking, shape };
  };
  /** The last one without which it would be right. */
  const lastOf = (taken: readonly Resource[], { of, path }: Shared) =>
    firstAfterWhich(taken, (some) =>
      judged(inOrder(some)).ofSeveral.some((each) => each.of === of && placeIn(each) === placeIn({ of, path })),
    );

  return (given) => {
    const refused = new Map<Resource, Refusal>();
    for (const each of given) {
      const refusal = ownRefusal(lists, each, mistakeIn);
      if (refusal !== undefined) refused.set(each, refusal);
    }
    for (;;) {
      const left = given.filter((each) => !refused.has(each));
      const taken = inOrder(left);
      const { own, ofSeveral, ofFile, lacking, shape } = judged(taken);
      // What is wrong only beside one that is wrong itself is looked at again without that.
      for (const [of, wrong] of own) {
        const { other } = wrong;
        if (other !== undefined && own.has(other)) continue;
        const isEarlier = other !== undefined && left.indexOf(other) > left.indexOf(of);
        const guilty = isEarlier ? other : of;
        refused.set(guilty, { reason: "Invalid", message: saidTo(guilty, wrong) });
      }
      if (own.size > 0) continue;
      const [shared] = ofSeveral;
      const last = shared && lastOf(left, shared);
      if (shared !== undefined && last !== undefined) {
        refused.set(last, { reason: "Invalid", message: saidTo(last, shared) });
        continue;
      }
      const [message] = ofFile;
      const isSaid = (some: readonly Resource[]) => judged(some).ofFile.some((each) => each === message);
      const guilty = message === undefined ? undefined : culprit(taken, isSaid);
      if (message !== undefined && guilty !== undefined) refused.set(guilty, { reason: "Invalid", message });
      else return { config: named(completed(shape), taken), refused, lacking };
    }
  };
}

interface Wrong extends Complaint {
  readonly of: Resource;
  /** Without which it would be right. */
  readonly other: Resource | undefined;
}

interface Shared extends Complaint {
  /** Undefined: the file. */
  readonly of: Resource | undefined;
}

/** Tenants and pools before the networks and routers that name them. */
const inOrder = (resources: readonly Resource[]): Resource[] =>
  RESOURCE_KINDS.flatMap(({ kind }) => resources.filter((each) => each.kind === kind));

/** What the file has of each kind. */
type Lists = ReadonlyMap<ResourceKindName, readonly unknown[]>;

function membersAt(root: unknown, path: readonly string[]): readonly unknown[] {
  const found = lookUp(root, path);
  return Array.isArray(found) ? found : [];
}

/** The file with all of them behind its own. */
const laid = (file: object, lists: Lists, resources: readonly Resource[]): object =>
  RESOURCE_KINDS.reduce((root, { kind, list }) => {
    const own = resources.filter((each) => each.kind === kind);
    if (own.length === 0) return root;
    const members = own.map(({ name, spec }) => ({ ...(spec as object), name }));
    return withAt(root, list, [...(lists.get(kind) ?? []), ...members]);
  }, file);

const withAt = (root: unknown, [key, ...rest]: readonly string[], value: unknown): object =>
  key === undefined ? (value as object) : { ...(root as object), [key]: withAt(lookUp(root, [key]), rest, value) };

/** Whose place in the whole it is. */
function ownerOf(
  lists: Lists,
  byKind: ReadonlyMap<ResourceKindName, readonly Resource[]>,
  path: Complaint["path"],
): Resource | undefined {
  const of = RESOURCE_KINDS.find(({ list }) => list.every((step, i) => path[i] === step));
  const index = of && path[of.list.length];
  if (of === undefined || typeof index !== "number") return undefined;
  return byKind.get(of.kind)?.[index - (lists.get(of.kind) ?? []).length];
}

/** Of a place, the beginning that is the object itself, which depends on how many there are. */
const memberOf = ({ kind }: Resource, path: Complaint["path"]) => path.slice(0, kindOf(kind).list.length + 1);

const placeIn = ({ of, path }: Pick<Shared, "of" | "path">): string =>
  pathText(of === undefined ? path : path.slice(memberOf(of, path).length));

const besideFileSaid = ({ text }: Complaint): string => `beside the configuration file: ${text}`;

/** To whom it may be that another one's setting is in its way. */
function saidTo(last: Resource, { of, ...complaint }: Shared): string {
  if (of === undefined) return besideFileSaid(complaint);
  return of === last ? saidOf(of, complaint) : `beside ${of.kind} ${of.name}: ${saidOf(of, complaint)}`;
}

/** With the place as it is in the object. */
function saidOf(of: Resource, { path, text: ofFile, textOfObject: text = ofFile }: Complaint): string {
  const member = pathText(memberOf(of, path));
  const own = `${member}.name`;
  if (text.startsWith(own)) return `metadata.name${text.slice(own.length)}`;
  return `spec${text.slice(member.length)}`;
}

function ownRefusal(
  lists: Lists,
  resource: Resource,
  mistakeIn: (resource: Resource) => string | undefined,
): Refusal | undefined {
  const { kind, name, spec } = resource;
  const { list, schema } = kindOf(kind);
  if (lists.get(kind)?.some((member) => lookUp(member, ["name"]) === name))
    return {
      reason: "NameTaken",
      message: `metadata.name: the nodes' configuration file has ${JSON.stringify(name)} among its ${pathText(list)}, which counts; use another name, or take it from there`,
    };
  if (typeof spec !== "object" || spec === null || Array.isArray(spec))
    return { reason: "Invalid", message: `spec: ${JSON.stringify(spec)} is not an object` };
  const [alone] = fileOnlyIn(schema, spec);
  if (alone !== undefined)
    return {
      reason: "Invalid",
      message: `${pathText(["spec", ...alone])}: is possible in the nodes' configuration file only`,
    };
  const message = mistakeIn(resource);
  return message === undefined ? undefined : { reason: "Invalid", message };
}

function completed(shape: Shape | undefined): Config {
  if (shape === undefined) throw new TypeError("a configuration without complaints has no shape");
  return complete(shape);
}

/** Errors of what is read later name the object, which has no place in the file. */
function named(config: Config, resources: readonly Resource[]): Config {
  const networks = new Map(config.networks);
  const tenants = new Map(config.tenants);
  const pools = new Map(config.pools.map((pool) => [pool.name, pool]));
  for (const { kind, name, isLeaving } of resources) {
    const leaving = isLeaving === undefined ? {} : { isLeaving };
    const network = kind === "Network" ? networks.get(name) : undefined;
    if (network !== undefined) {
      const options = { ...network.options, path: `Network ${name}: spec.options` };
      networks.set(name, { ...network, ...leaving, options });
    }
    const tenant = kind === "Tenant" ? tenants.get(name) : undefined;
    if (tenant !== undefined) tenants.set(name, { ...tenant, ...leaving });
    const pool = kind === "AddressPool" ? pools.get(name) : undefined;
    if (pool !== undefined) {
      const ranges = { ...pool.ranges, path: `AddressPool ${name}: spec.ranges` };
      pools.set(name, { ...pool, ...leaving, ranges });
    }
  }
  const { edge } = config;
  if (edge === undefined) return { ...config, tenants, networks, pools: [...pools.values()] };
  const objects = new Set(resources.filter(({ kind }) => kind === "Router").map(({ name }) => name));
  const routers = edge.routers.map((router) =>
    objects.has(router.name) ? { ...router, isObject: true as const } : router,
  );
  return { ...config, tenants, networks, pools: [...pools.values()], edge: { ...edge, routers } };
}

function kindOf(name: ResourceKindName): ResourceKind {
  const found = RESOURCE_KINDS.find(({ kind }) => kind === name);
  if (found === undefined) throw new TypeError(`no kind ${name}`);
  return found;
}
