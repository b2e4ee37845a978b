/**
 * policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy (kubernetes-sigs/network-policy-api,
 * apis/v1alpha2/clusternetworkpolicy_types.go). Peers by node and by domain name are experimental there, and refused.
 */
import { prefix } from "#lib/address.ts";
import { absent, type Found, fields, integer, list, oneOf, refuse, text } from "#lib/parse.ts";
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
  const [ingress, egress] = (["ingress", "egress"] as const).map((direction) =>
    atMost(at(direction)).map((found, i) => readRule(found, direction, i)),
  );
  return {
    name: title,
    tier: word(at("tier"), TIERS),
    priority: integer(at("priority"), { min: 0, max: 1_000 }),
    subject: readWho(at("subject")),
    rules: {
      ...(ingress === undefined || ingress.length === 0 ? {} : { ingress }),
      ...(egress === undefined || egress.length === 0 ? {} : { egress }),
    },
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
  return { namespaces: readSelector(at("namespaceSelector")), pods: readSelector(at("podSelector")) };
}

function readRule(found: Found, direction: Direction, index: number): Rule {
  const side = direction === "ingress" ? "from" : "to";
  onlyFields(found, ["name", "action", side, "protocols"]);
  const at = fields(found);
  const peers = atLeastOne(at(side)).flatMap((peer) => readPeers(peer, direction));
  const protocols = at("protocols");
  const ports = absent(protocols) ? undefined : atLeastOne(protocols).map(readProtocol);
  const named = ports?.findIndex(({ kind }) => kind === "named") ?? -1;
  if (named >= 0 && peers.some(({ kind }) => kind === "block"))
    refuse(
      atLeastOne(protocols)[named] ?? protocols,
      `a port's number: networks, which ${side} names, have no named ports`,
    );
  const name = at("name");
  const place = `${direction}[${index}]`;
  return {
    name: absent(name) ? place : `${place} ${shortText(name)}`,
    action: word(at("action"), ACTIONS),
    peers,
    ...(ports === undefined ? {} : { ports }),
  };
}

const shortText = (found: Found): string => {
  const name = text(found);
  return name.length <= 100 ? name : refuse(found, "a name of at most 100 characters");
};

function readPeers(found: Found, direction: Direction): Peer[] {
  const known = ["namespaces", "pods", ...(direction === "egress" ? ["networks", "nodes", "domainNames"] : [])];
  const [kind, value] = onlyOne(found, known);
  if (kind === "networks")
    return atLeastOne(value).map((each) => ({
      kind: "block",
      block: { cidr: prefix(each.value, each.path), except: [] },
    }));
  if (kind === "nodes" || kind === "domainNames") return refuse(value, "supported; use networks, namespaces or pods");
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
