/**
 * policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy (kubernetes-sigs/network-policy-api,
 * apis/v1alpha2/clusternetworkpolicy_types.go). Peers by node and by domain name are experimental there and not supported: their
 * rules are closed, as it asks of whoever does not know a peer's kind.
 */
import { prefix } from "#lib/address.ts";
import { absent, entries, type Found, fields, integer, list, oneOf, refuse, text } from "#lib/parse.ts";
import { onlyFields, onlyOne } from "./fields.ts";
import type { Direction, Peer, Policy, PortMatch, Protocol, Rule, Who } from "./objects.ts";
import { PORT, portName } from "./port.ts";
import { EVERYTHING, objectName, readSelector } from "./selector.ts";

const TIERS = { Admin: "admin", Baseline: "baseline" } as const;
const ACTIONS = { Accept: "accept", Deny: "deny", Pass: "pass" } as const;
const MOST = 25;

/** `object` is the whole manifest. @throws SelvedgeError config-invalid */
export function readClusterNetworkPolicy(object: Found): Policy {
  const name = objectName(fields(fields(object)("metadata"))("name"));
  const title = `ClusterNetworkPolicy ${name}`;
  const spec: Found = { path: `${title}: spec`, value: fields(object)("spec").value };
  onlyFields(spec, ["tier", "priority", "subject", "ingress", "egress"]);
  const at = fields(spec);
  const [ingress = [], egress = []] = (["ingress", "egress"] as const).map((direction) =>
    atMost(at(direction)).map((found, i) => readRule(found, direction, i)),
  );
  const closed = [...ingress, ...egress].flatMap((read) => read.closed ?? []);
  return {
    name: title,
    tier: word(at("tier"), TIERS),
    priority: integer(at("priority"), { min: 0, max: 1_000 }),
    subject: readWho(at("subject")),
    rules: {
      ...(ingress.length === 0 ? {} : { ingress: ingress.map(({ rule }) => rule) }),
      ...(egress.length === 0 ? {} : { egress: egress.map(({ rule }) => rule) }),
    },
    ...(closed.length === 0 ? {} : { closed }),
  };
}

const word = <T>(found: Found, words: Readonly<Record<string, T>>): T => {
  const chosen = words[oneOf(found, Object.keys(words))];
  return chosen === undefined ? refuse(found, "known") : chosen;
};

function atMost(found: Found): Found[] {
  const members = list(found);
  return members.length <= MOST ? members : refuse(found, `a list of at most ${MOST}`);
}

function atLeastOne(found: Found): Found[] {
  const members = atMost(found);
  return members.length > 0 ? members : refuse(found, "a list of at least one");
}

function readWho(found: Found): Who {
  const [kind, value] = onlyOne(found, ["namespaces", "pods"]);
  if (kind === "namespaces") return { namespaces: readSelector(value), pods: EVERYTHING };
  return namespacedPod(value);
}

function namespacedPod(found: Found): Who {
  onlyFields(found, ["namespaceSelector", "podSelector"]);
  const at = fields(found);
  const pods = at("podSelector");
  if (absent(pods)) refuse(pods, "a selector, {} for all pods");
  return { namespaces: readSelector(at("namespaceSelector")), pods: readSelector(pods) };
}

interface ReadRule {
  readonly rule: Rule;
  /** Why it is another than the one that was written. */
  readonly closed?: string;
}

function readRule(found: Found, direction: Direction, index: number): ReadRule {
  const side = direction === "ingress" ? "from" : "to";
  onlyFields(found, ["name", "action", side, "protocols"]);
  const at = fields(found);
  const read = atLeastOne(at(side)).map((peer) => readPeers(peer, direction));
  const peers = read.flatMap((each) => (typeof each === "string" ? [] : each));
  const protocols = at("protocols");
  const ports = absent(protocols) ? undefined : atLeastOne(protocols).map(readProtocol);
  const named = ports?.findIndex(({ kind }) => kind === "named") ?? -1;
  if (named >= 0 && peers.some(({ kind }) => kind === "block"))
    refuse(
      atLeastOne(protocols)[named] ?? protocols,
      `a port's number: networks, which ${side} names, have no named ports`,
    );
  const name = ruleName(at("name"), `${direction}[${index}]`);
  const action = word(at("action"), ACTIONS);
  const unknown = read.find((each) => typeof each === "string");
  if (unknown === undefined) return { rule: { name, action, peers, ...(ports === undefined ? {} : { ports }) } };
  return action === "accept"
    ? { rule: { name, action, peers: [] }, closed: `${name} accepts nothing: ${unknown}` }
    : { rule: { name, action: "deny" }, closed: `${name} denies everything: ${unknown}` };
}

function ruleName(found: Found, place: string): string {
  const name = text(found, { or: "" });
  if ([...name].length > 100) refuse(found, "a name of at most 100 characters");
  return name === "" ? place : `${place} ${name}`;
}

/** A text says why nobody knows whom it means. */
function readPeers(found: Found, direction: Direction): Peer[] | string {
  // A field that the definition of an older version lacks is not told of.
  if (entries(found).length === 0) return "a peer is of a kind that is not known";
  const known = ["namespaces", "pods", ...(direction === "egress" ? ["networks", "nodes", "domainNames"] : [])];
  const [kind, value] = onlyOne(found, known);
  if (kind === "networks")
    return atLeastOne(value).map((each) => ({
      kind: "block",
      block: { cidr: prefix(each.value, each.path), except: [] },
    }));
  if (kind === "nodes" || kind === "domainNames") return `peers by ${kind} are not supported`;
  return [{ kind: "pods", who: readWho(found) }];
}

function readProtocol(found: Found): PortMatch {
  const [kind, value] = onlyOne(found, ["tcp", "udp", "sctp", "destinationNamedPort"]);
  if (kind === "destinationNamedPort") return { kind: "named", name: portName(value) };
  onlyFields(value, ["destinationPort"]);
  return { kind: "range", protocol: kind as Protocol, ...destination(fields(value)("destinationPort")) };
}

function destination(found: Found): { first: number; last: number } {
  const [kind, value] = onlyOne(found, ["number", "range"]);
  if (kind === "number") {
    const first = integer(value, PORT);
    return { first, last: first };
  }
  onlyFields(value, ["start", "end"]);
  const at = fields(value);
  const first = integer(at("start"), { min: PORT.min, max: PORT.max - 1 });
  return { first, last: integer(at("end"), { min: first + 1, max: PORT.max }) };
}
