/** What must agree with something elsewhere in the file. Looks past anything whose shape is wrong. */
import { family } from "#lib/address.ts";
import { clusterMistakes } from "./cluster-mistakes.ts";
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import { edgeMistakes } from "./edge-mistakes.ts";
import { egressMistakes } from "./egress-mistakes.ts";
import { mtuMistakes } from "./mtu-mistakes.ts";
import { listAt, overlaps, subnetsOf } from "./overlaps.ts";
import { planeMistakes } from "./plane-mistakes.ts";
import { policyMistakes } from "./policy-mistakes.ts";
import { ATTACHMENTS } from "./schema.ts";
import { segmentMistakes } from "./segment-mistakes.ts";
import { SHORT_KEYS, SHORTHAND } from "./shorthand.ts";
import { stretchMistakes } from "./stretch-mistakes.ts";
import { tenantMistakes } from "./tenant-mistakes.ts";
import { sameNames } from "./twice.ts";
import { unservedWishes } from "./unserved.ts";
import type { Path } from "./yaml.ts";

export function references(root: unknown): Complaint[] {
  const complaints: Complaint[] = [];
  const names = (key: "pools" | "networks" | "tenants"): ReadonlySet<string> => {
    const seen = new Set<string>();
    members(root, [key]).forEach((member, i) => {
      const name = lookUp(member, ["name"]);
      if (typeof name !== "string") return;
      if (seen.has(name)) complaints.push(complaint([key, i, "name"], `"${name}" is the name of another one, too`));
      seen.add(name);
    });
    return seen;
  };
  const pools = lookUp(root, ["pools"]) === undefined ? new Set(["default"]) : names("pools");
  const checkPool = (path: Path, name: unknown) => {
    if (typeof name === "string" && !pools.has(name)) complaints.push(unknownName(path, "pool", name, pools));
  };
  checkPool(["defaultPool"], lookUp(root, ["defaultPool"]) ?? "default");
  for (const key of ["reservations", "poolRules"] as const)
    members(root, [key]).forEach((member, i) => {
      checkPool([key, i, "pool"], lookUp(member, ["pool"]));
    });
  const all = members(root, ["networks"]);
  all.forEach((member, i) => {
    checkPool(["networks", i, "pool"], lookUp(member, ["pool"]));
    members(member, ["pools"]).forEach((name, j) => {
      checkPool(["networks", i, "pools", j], name);
    });
  });
  const poolsByName = new Map(listAt(root, "pools").map((pool) => [lookUp(pool, ["name"]), pool]));
  const networks = names("networks");
  const tenants = names("tenants");
  members(root, ["poolRules"]).forEach((member, i) => {
    const name = lookUp(member, ["network"]);
    if (typeof name === "string" && !networks.has(name))
      complaints.push(unknownName(["poolRules", i, "network"], "network", name, networks));
  });
  return [
    ...complaints,
    ...all.flatMap((member, i) => [
      ...wrongShorthand(root, member, i),
      ...severalPools(poolsByName, member, i),
      ...unservedWishes(root, member, i),
      ...planeMistakes(root, ["networks", i, "planes"], { networks, self: lookUp(member, ["name"]) }),
    ]),
    ...members(root, ["planeRules"]).flatMap((_, i) =>
      planeMistakes(root, ["planeRules", i, "planes"], { networks, self: undefined }),
    ),
    ...mtuMistakes(root),
    ...sameNames(members(root, ["sriov", "pools"]), ["sriov", "pools"]),
    ...reservedTwice(root),
    ...overlaps(root),
    ...tenantMistakes(root, tenants),
    ...segmentMistakes(root),
    ...stretchMistakes(root),
    ...clusterMistakes(root),
    ...edgeMistakes(root, pools),
    ...policyMistakes(root),
    ...egressMistakes(root, { networks, tenants }),
  ];
}

const members = (root: unknown, path: Path): readonly unknown[] => {
  const found = lookUp(root, path);
  return Array.isArray(found) ? found : [];
};

/** A name has one reservation in a pool. */
function reservedTwice(root: unknown): Complaint[] {
  const seen = new Set<string>();
  return members(root, ["reservations"]).flatMap((member, i) => {
    const name = lookUp(member, ["name"]);
    const pool = lookUp(member, ["pool"]) ?? lookUp(root, ["defaultPool"]) ?? "default";
    if (typeof name !== "string") return [];
    const key = `${pool} ${name}`;
    if (seen.has(key)) return [complaint(["reservations", i, "name"], `"${name}" has one in pool ${pool} already`)];
    seen.add(key);
    return [];
  });
}

/** Pools that a network draws from in turn: what it gets must not depend on whose turn it is. */
function severalPools(pools: ReadonlyMap<unknown, unknown>, network: unknown, i: number): Complaint[] {
  const names = lookUp(network, ["pools"]);
  if (!Array.isArray(names)) return [];
  const path: Path = ["networks", i, "pools"];
  const single = lookUp(network, ["pool"]);
  return [
    ...(names.length === 0 ? [complaint(path, "is empty; leave it out, or name pools")] : []),
    ...(single === undefined ? [] : [complaint(path, `is not possible together with pool ${JSON.stringify(single)}`)]),
    ...names.flatMap((name, j) => {
      const twice = names.indexOf(name) < j ? [complaint([...path, j], `"${String(name)}" is named twice`)] : [];
      const families = members(pools.get(name), ["ranges"]).flatMap((set) => subnetsOf([set]).slice(0, 1).map(family));
      if (names.length < 2 || new Set(families).size === families.length) return twice;
      const text = `"${String(name)}" has several lists of ranges of one family; where several pools are named, each has one at most`;
      return [...twice, complaint([...path, j], text)];
    }),
  ];
}

/** `parent`, `bridge` and `vlan` where the attachment type has none. */
function wrongShorthand(root: unknown, network: unknown, i: number): Complaint[] {
  const given = lookUp(network, ["attachment"]) ?? lookUp(root, ["defaults", "attachment"]) ?? "ptp";
  const type = ATTACHMENTS.find((known) => known === given);
  if (type === undefined) return [];
  return SHORT_KEYS.flatMap((key) => {
    const value = lookUp(network, [key]);
    if (value === undefined || SHORTHAND[type][key] !== undefined) return [];
    const able = ATTACHMENTS.filter((other) => SHORTHAND[other][key] !== undefined);
    const text = `${JSON.stringify(value)} is not possible with attachment "${type}"; types that have it: ${able.join(", ")}`;
    return [complaint(["networks", i, key], text)];
  });
}
