/** The part of a router's settings that is about its firewall: groups, and a chain of our own. */
import { z } from "zod";
import { family, prefix } from "#lib/address.ts";
import type { FirewallEnd } from "#lib/edge/router.ts";
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import { choiceMistakes, chosen } from "./edge-pods.ts";
import { CIDR_CHARACTERS, flag, integer, isText, listOf, matching, oneOf, poolNames, read, setting } from "./leaves.ts";
import { listAt, prefixesOf } from "./overlaps.ts";
import type { Path } from "./yaml.ts";

const GROUP = /^[A-Za-z0-9_-][\w.-]*$/;
const GROUP_CHARACTERS = 29;
export const groupName = matching("a name of letters, digits, dots, dashes and underscores", GROUP, GROUP_CHARACTERS);
const isGroupName = (text: string): boolean => text.length <= GROUP_CHARACTERS && GROUP.test(text);

/** A group's name has no slash. @throws SelvedgeError config-invalid */
function endOf(value: unknown): FirewallEnd {
  if (isText(value) && isGroupName(value)) return { group: value };
  return { prefix: prefix(value) };
}
const end = read('a group of the router, or a prefix such as "192.0.2.0/24"', endOf, {
  type: "string",
  minLength: 1,
  maxLength: CIDR_CHARACTERS,
});

export const group = z.strictObject(
  {
    name: setting(groupName, "Of the group; that of IPv6 has `-6` after it."),
    of: setting(
      oneOf("pools", "nodes", "pods"),
      "What is in it: networks of pools, addresses of nodes, or addresses of pods of the whole cluster.",
    ),
    pools: setting(poolNames.optional(), "Which pools.", "those of the router"),
    pods: setting(chosen.optional(), "Which pods: all that is named must hold.", "none"),
  },
  { error: "an object such as {name: PODS, of: pools}" },
);

const rule = z.strictObject(
  {
    name: setting(groupName, "For people: it is the rule's description."),
    action: setting(oneOf("accept", "drop", "reject", "return"), "What becomes of a packet."),
    from: setting(end.optional(), "Whose packets: a group of this router, or a prefix.", "anybody's"),
    to: setting(end.optional(), "To whom: the same.", "anybody"),
    protocol: setting(
      oneOf("tcp", "udp", "icmp").optional(),
      "Protocol; `icmp` is ICMPv6 in the chain of IPv6.",
      "any",
    ),
    ports: setting(
      listOf(integer(1, 65_535), "a list of ports").default([]),
      "Destination ports, of tcp or udp.",
      "all",
    ),
    log: setting(flag.default(false), "Packets that it decides about are logged by the router."),
  },
  { error: "an object such as {name: dns, action: accept, from: PODS, protocol: udp, ports: [53]}" },
);

export const firewall = z.strictObject(
  {
    chain: setting(groupName.default("SELVEDGE"), "Name of the chain; that of IPv6 has `-6` after it."),
    jumpRule: setting(
      integer(1, 999_999).optional(),
      "Number of the rule in `forward filter` that leads to it.",
      "the operator's own rules do",
    ),
    otherwise: setting(
      oneOf("return", "accept", "drop", "reject").default("return"),
      "What becomes of packets that no rule is about.",
    ),
    rules: setting(listOf(rule, "a list of rules"), "In their order; answers pass before all of them."),
  },
  {
    error:
      "an object such as {jumpRule: 500, rules: [{name: web, action: accept, to: PODS, protocol: tcp, ports: [443]}]}",
  },
);

/** What must agree within a group, and with the rest of the file. @param path of the router */
export const groupMistakes = (root: unknown, path: Path): Complaint[] =>
  listAt(lookUp(root, path), "groups").flatMap((group, i) => {
    const at = (key: string): Path => [...path, "groups", i, key];
    const [of, pods] = [lookUp(group, ["of"]), lookUp(group, ["pods"])];
    if (of !== "pods") return pods === undefined ? [] : [complaint(at("pods"), "is possible only with `of: pods`")];
    return [
      ...(pods === undefined ? [complaint(at("pods"), "is missing, such as {labels: {app: web}}")] : []),
      ...(lookUp(group, ["pools"]) === undefined ? [] : [complaint(at("pools"), "is not possible with `of: pods`")]),
      ...choiceMistakes(root, at("pods")),
    ];
  });

/** What must agree within the rules, and with the groups of the router. */
export function firewallMistakes(router: unknown, path: Path): Complaint[] {
  const groups = listAt(router, "groups").map((each) => lookUp(each, ["name"]));
  return listAt(lookUp(router, ["firewall"]), "rules").flatMap((each, i) => {
    const at = (key: string): Path => [...path, "firewall", "rules", i, key];
    const ends = (["from", "to"] as const).map((side) => [side, lookUp(each, [side])] as const);
    const named = ends.filter((end): end is ["from" | "to", string] => isText(end[1]) && isGroupName(end[1]));
    const families = new Set(prefixesOf(ends.map(([, value]) => value)).map(family));
    const protocol = lookUp(each, ["protocol"]);
    const hasPorts = listAt(each, "ports").length > 0;
    return [
      ...named
        .filter(([, value]) => !groups.includes(value))
        .map(([side, value]) => unknownName(at(side), "group", value, groups.filter(isText))),
      ...(hasPorts && protocol !== "tcp" && protocol !== "udp"
        ? [complaint(at("ports"), "need a protocol that has them: tcp or udp")]
        : []),
      ...(families.size > 1 ? [complaint(at("to"), "is of another family than `from`: no packet is of both")] : []),
    ];
  });
}
