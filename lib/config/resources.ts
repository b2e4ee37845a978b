/** The configuration with objects of Kubernetes beside what the file says. One that is wrong is no part of it, and hurts no other. */

import { type Complaint, lookUp, pathText } from "./complaint.ts";
import { complete } from "./complete.ts";
import { type Config, judge } from "./config.ts";
import { culprit, firstAfterWhich } from "./culprit.ts";
import { listAt } from "./overlaps.ts";
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
  const of = (list: ResourceKind["list"]) => listAt(file, list);
  const lists = { tenants: of("tenants"), pools: of("pools"), networks: of("networks") };
  const all = (resources: readonly Resource[]): unknown => ({ ...file, ...laid(lists, resources) });

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
      else if (each.mayCome) lacking.set(of, saidOf(each));
      else if (!own.has(of)) own.set(of, { message: saidOf(each), against });
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
      for (const [of, { message, against }] of own)
        if (against === undefined || !own.has(against)) refused.set(of, { reason: "Invalid", message });
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

interface Wrong {
  readonly message: string;
  /** Without which it would be right. */
  readonly against: Resource | undefined;
}

interface Shared extends Complaint {
  /** Undefined: the file. */
  readonly of: Resource | undefined;
}

/** Tenants and pools before the networks that name them. */
const inOrder = (resources: readonly Resource[]): Resource[] =>
  RESOURCE_KINDS.flatMap(({ kind }) => resources.filter((each) => each.kind === kind));

type Lists = Readonly<Record<ResourceKind["list"], readonly unknown[]>>;

const laid = (lists: Lists, resources: readonly Resource[]): Lists => {
  const of = (wanted: ResourceKind["list"]) => [
    ...lists[wanted],
    ...resources
      .filter(({ kind }) => kindOf(kind).list === wanted)
      .map(({ name, spec }) => ({ ...(spec as object), name })),
  ];
  return { tenants: of("tenants"), pools: of("pools"), networks: of("networks") };
};

/** Whose place in the whole it is. */
function ownerOf(
  lists: Lists,
  byKind: ReadonlyMap<ResourceKindName, readonly Resource[]>,
  path: Complaint["path"],
): Resource | undefined {
  const [list, index] = path;
  const of = RESOURCE_KINDS.find((each) => each.list === list);
  if (of === undefined || typeof index !== "number") return undefined;
  return byKind.get(of.kind)?.[index - lists[of.list].length];
}

/** An object's own place depends on how many there are. */
const placeIn = ({ of, path }: Pick<Shared, "of" | "path">): string =>
  pathText(of === undefined ? path : path.slice(2));

const besideFileSaid = ({ text }: Complaint): string => `beside the configuration file: ${text}`;

/** To whom it may be that another one's setting is in its way. */
function saidTo(last: Resource, { of, ...complaint }: Shared): string {
  if (of === undefined) return besideFileSaid(complaint);
  return of === last ? saidOf(complaint) : `beside ${of.kind} ${of.name}: ${saidOf(complaint)}`;
}

/** With the place as it is in the object. */
function saidOf({ path, text }: Complaint): string {
  const member = pathText(path.slice(0, 2));
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
  const { list, fileOnly } = kindOf(kind);
  if (lists[list].some((member) => lookUp(member, ["name"]) === name))
    return {
      reason: "NameTaken",
      message: `metadata.name: the nodes' configuration file has ${JSON.stringify(name)} among its ${list}, which counts; use another name, or take it from there`,
    };
  if (typeof spec !== "object" || spec === null || Array.isArray(spec))
    return { reason: "Invalid", message: `spec: ${JSON.stringify(spec)} is not an object` };
  const [alone] = fileOnly.filter((key) => Object.hasOwn(spec, key));
  if (alone !== undefined)
    return { reason: "Invalid", message: `spec.${alone}: is possible in the nodes' configuration file only` };
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
  return { ...config, tenants, networks, pools: [...pools.values()] };
}

function kindOf(name: ResourceKindName): ResourceKind {
  const found = RESOURCE_KINDS.find(({ kind }) => kind === name);
  if (found === undefined) throw new TypeError(`no kind ${name}`);
  return found;
}
