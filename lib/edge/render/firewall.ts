/**
 * A chain of our own for what is forwarded (VyOS: firewall ipv4 name, firewall ipv6 name). What leads to it, and all other
 * chains, are the operator's, but for one rule where that is asked for.
 */
import { type Family, family } from "#lib/address.ts";
import { type Path, pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { FirewallEnd, FirewallRuleSpec, FirewallSpec } from "../router.ts";
import { type Group, isTooLarge, nameIn, placeOf } from "./groups.ts";
import { FAMILIES } from "./policy.ts";

/** Answers to what was let through. */
const ANSWERS = 1;
/** Rules of the configuration are that far apart. */
const STEP = 10;

/** @param groups all of the router's */
export function firewall(spec: FirewallSpec, groups: readonly Group[]): Piece[] {
  const { chain: name, jumpRule, otherwise, rules } = spec;
  return FAMILIES.flatMap((of) => {
    const top = ["firewall", of === 4 ? "ipv4" : "ipv6"];
    const target = nameIn(of, name);
    const chain = pathFrom(...top, "name", target);
    const own = rules.flatMap((rule, i) => {
      const ends = [endOf("source", rule.from, of, groups), endOf("destination", rule.to, of, groups)];
      const known = ends.filter((words) => words !== undefined);
      return known.length < ends.length ? [] : ruleAt([...chain, "rule", `${STEP * (i + 1)}`], rule, of, known);
    });
    const answers = pathFrom(...chain, "rule", ANSWERS);
    // Each of which may never have been made.
    const doubtful = groups.filter((group) => group.version === of && isNamed(group, rules) && isTooLarge(group));
    return [
      {
        at: chain,
        ...(doubtful.length === 0 ? {} : { needs: doubtful.map(placeOf) }),
        paths: [
          pathFrom(...chain, "default-action", otherwise),
          pathFrom(...answers, "action", otherwise === "return" ? "return" : "accept"),
          pathFrom(...answers, "state", "established"),
          pathFrom(...answers, "state", "related"),
          ...own,
        ],
      },
      ...(jumpRule === undefined ? [] : [jump(pathFrom(...top, "forward", "filter", "rule", jumpRule), target, chain)]),
    ];
  });
}

function jump(at: Path, target: string, chain: Path): Piece {
  return { at, paths: [pathFrom(...at, "action", "jump"), pathFrom(...at, "jump-target", target)], needs: [chain] };
}

function ruleAt(at: Path, { name, action, protocol, ports, log }: FirewallRuleSpec, of: Family, ends: Path[]): Path[] {
  return [
    pathFrom(...at, "description", `selvedge ${name}`),
    pathFrom(...at, "action", action),
    ...ends.filter((words) => words.length > 0).map((words) => pathFrom(...at, ...words)),
    ...(protocol === undefined
      ? []
      : [pathFrom(...at, "protocol", protocol === "icmp" && of === 6 ? "ipv6-icmp" : protocol)]),
    ...(ports.length === 0 ? [] : [pathFrom(...at, "destination", "port", ports.join(","))]),
    ...(log ? [pathFrom(...at, "log")] : []),
  ];
}

const isNamed = ({ spec: { name } }: Group, rules: readonly FirewallRuleSpec[]): boolean =>
  rules.some(({ from, to }) => [from, to].some((end) => end !== undefined && "group" in end && end.group === name));

/** Empty for anybody; undefined where nobody of that family is meant: a group without members is no group on the router. */
function endOf(side: string, end: FirewallEnd | undefined, of: Family, groups: readonly Group[]): Path | undefined {
  if (end === undefined) return [];
  if ("prefix" in end) return family(end.prefix) === of ? [side, "address", end.prefix] : undefined;
  const group = groups.find(({ spec, version }) => spec.name === end.group && version === of);
  return group === undefined ? undefined : [side, "group", group.kind, group.name];
}
