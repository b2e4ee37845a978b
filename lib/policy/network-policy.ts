/** networking.k8s.io/v1 NetworkPolicy (API reference 1.34, NetworkPolicySpec) as a policy of the tier `network`. */
import { absent, type Found, fields, list, oneOf, refuse } from "#lib/parse.ts";
import { isPartOf, lenientCidr } from "./cidr.ts";
import { onlyFields } from "./fields.ts";
import type { Block, Direction, Peer, Policy, Rule, Who } from "./objects.ts";
import { portMatch } from "./port.ts";
import { EVERYTHING, objectName, readSelector } from "./selector.ts";

const SPEC = ["podSelector", "policyTypes", "ingress", "egress"] as const;

/** `object` is the whole manifest. @throws SelvedgeError config-invalid */
export function readNetworkPolicy(object: Found): Policy {
  const metadata = fields(fields(object)("metadata"));
  const name = objectName(metadata("name"));
  const namespace = absent(metadata("namespace")) ? "default" : objectName(metadata("namespace"));
  const title = `NetworkPolicy ${namespace}/${name}`;
  const spec: Found = { path: `${title}: spec`, value: fields(object)("spec").value };
  onlyFields(spec, SPEC);
  const at = fields(spec);
  const ingress = list(at("ingress")).map((found, i) => readRule(found, "ingress", i, namespace));
  const egress = list(at("egress")).map((found, i) => readRule(found, "egress", i, namespace));
  const types = list(at("policyTypes")).map((found) => oneOf(found, ["Ingress", "Egress"]));
  // Defaulting of the API server (pkg/apis/networking/v1 SetDefaults_NetworkPolicy).
  const affected = types.length > 0 ? types : egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  return {
    name: title,
    tier: "network",
    priority: 0,
    subject: { namespaces: { name: namespace }, pods: readSelector(at("podSelector")) },
    rules: {
      ...(affected.includes("Ingress") ? { ingress } : {}),
      ...(affected.includes("Egress") ? { egress } : {}),
    },
  };
}

function readRule(found: Found, direction: Direction, index: number, namespace: string): Rule {
  const side = direction === "ingress" ? "from" : "to";
  onlyFields(found, [side, "ports"]);
  const at = fields(found);
  const peers = list(at(side)).map((peer) => readPeer(peer, namespace));
  const ports = list(at("ports")).map(portMatch);
  return {
    name: `${direction}[${index}]`,
    action: "accept",
    ...(peers.length === 0 ? {} : { peers }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function readPeer(found: Found, namespace: string): Peer {
  onlyFields(found, ["podSelector", "namespaceSelector", "ipBlock"]);
  const at = fields(found);
  const [pods, namespaces, block] = [at("podSelector"), at("namespaceSelector"), at("ipBlock")];
  if (!absent(block)) {
    if (!absent(pods) || !absent(namespaces)) refuse(found, "an ipBlock alone, or selectors without one");
    return { kind: "block", block: readBlock(block) };
  }
  if (absent(pods) && absent(namespaces)) refuse(found, "a peer: a podSelector, a namespaceSelector or an ipBlock");
  const who: Who = {
    namespaces: absent(namespaces) ? { name: namespace } : readSelector(namespaces),
    pods: absent(pods) ? EVERYTHING : readSelector(pods),
  };
  return { kind: "pods", who };
}

function readBlock(found: Found): Block {
  onlyFields(found, ["cidr", "except"]);
  const at = fields(found);
  const cidr = lenientCidr(at("cidr"));
  const except = list(at("except")).map((each) => {
    const inner = lenientCidr(each);
    return isPartOf(inner, cidr) ? inner.prefix : refuse(each, `a part of ${cidr.prefix}`);
  });
  return { cidr: cidr.prefix, except };
}
