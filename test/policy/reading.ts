/**
 * A second reading of the two specifications, straight from the manifests and as slow as may be: for comparison with the
 * product's, of which it uses nothing but the arithmetic of addresses.
 */
import { address, contains, prefix } from "#lib/address.ts";
import type { RawNamespace, RawPod, RawPolicy } from "./arbitrary.ts";

export interface Cluster {
  readonly policies: readonly RawPolicy[];
  readonly pods: readonly RawPod[];
  readonly namespaces: readonly RawNamespace[];
}

export interface Traffic {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
}

type Raw = Record<string, unknown>;
const all = (value: unknown): Raw[] => (value ?? []) as Raw[];

function matches(selector: unknown, labels: Record<string, string>): boolean {
  const { matchLabels = {}, matchExpressions } = (selector ?? {}) as Raw;
  if (Object.entries(matchLabels as Record<string, string>).some(([key, value]) => labels[key] !== value)) return false;
  for (const { key, operator, values } of all(matchExpressions)) {
    const has = labels[key as string];
    if (operator === "Exists" && has === undefined) return false;
    if (operator === "DoesNotExist" && has !== undefined) return false;
    if (operator === "In" && (has === undefined || !(values as string[]).includes(has))) return false;
    if (operator === "NotIn" && has !== undefined && (values as string[]).includes(has)) return false;
  }
  return true;
}

export function read({ policies, pods, namespaces }: Cluster, traffic: Traffic): { egress: boolean; ingress: boolean } {
  const podWith = (ip: string) => pods.find(({ status }) => status.podIPs.some((each) => each.ip === ip));
  const labelsOf = (namespace: string) =>
    namespaces.find(({ metadata }) => metadata.name === namespace)?.metadata.labels ?? {};
  const inBlock = (cidr: unknown, ip: string) => contains(prefix(cidr), address(ip));
  const [source, target] = [podWith(traffic.from), podWith(traffic.to)];

  const isNetworkPeer = (peer: Raw, home: string, ip: string): boolean => {
    if (peer.ipBlock !== undefined) {
      const { cidr, except } = peer.ipBlock as Raw;
      return inBlock(cidr, ip) && !((except ?? []) as string[]).some((each) => inBlock(each, ip));
    }
    const pod = podWith(ip);
    if (pod === undefined) return false;
    const { namespace, labels } = pod.metadata;
    const isThere =
      peer.namespaceSelector === undefined ? namespace === home : matches(peer.namespaceSelector, labelsOf(namespace));
    return isThere && matches(peer.podSelector, labels);
  };
  const hasPort = (name: unknown, protocol: unknown): boolean =>
    target?.spec.containers[0].ports.some(
      (own) =>
        own.name === name &&
        own.containerPort === traffic.port &&
        own.protocol === traffic.protocol &&
        (protocol === undefined || own.protocol === protocol),
    ) ?? false;
  const isNetworkPort = ({ port, endPort, protocol = "TCP" }: Raw): boolean => {
    if (typeof port === "string") return hasPort(port, protocol);
    if (protocol !== traffic.protocol) return false;
    if (port === undefined) return true;
    return traffic.port >= (port as number) && traffic.port <= ((endPort ?? port) as number);
  };
  const isWho = (who: Raw, pod: RawPod): boolean => {
    const { namespace, labels } = pod.metadata;
    if (who.namespaces !== undefined) return matches(who.namespaces, labelsOf(namespace));
    const { namespaceSelector, podSelector } = who.pods as Raw;
    return matches(namespaceSelector, labelsOf(namespace)) && matches(podSelector, labels);
  };
  /** `fail closed` of the types' text. */
  const isKnownPeer = (peer: Raw): boolean => ["namespaces", "pods", "networks"].some((key) => key in peer);
  const isClusterPeer = (peer: Raw, ip: string): boolean => {
    if (peer.networks !== undefined) return (peer.networks as string[]).some((cidr) => inBlock(cidr, ip));
    const pod = podWith(ip);
    return pod !== undefined && isWho(peer, pod);
  };
  const isClusterProtocol = (protocol: Raw): boolean => {
    if (protocol.destinationNamedPort !== undefined) return hasPort(protocol.destinationNamedPort, undefined);
    const [[name, value] = ["", {}]] = Object.entries(protocol);
    const { number, range } = (value as { destinationPort: Raw }).destinationPort;
    const { start, end } = (range ?? { start: number, end: number }) as { start: number; end: number };
    return name.toUpperCase() === traffic.protocol && start <= traffic.port && traffic.port <= end;
  };

  const tier = (name: string, direction: "ingress" | "egress", subject: RawPod, ip: string): string | undefined => {
    const side = direction === "ingress" ? "from" : "to";
    const ordered = policies
      .filter(({ kind, spec }) => kind === "ClusterNetworkPolicy" && spec.tier === name)
      .filter(({ spec }) => isWho(spec.subject as Raw, subject))
      .sort((a, b) => (a.spec.priority as number) - (b.spec.priority as number));
    for (const { spec } of ordered)
      for (const rule of all(spec[direction])) {
        if (!all(rule[side]).every(isKnownPeer)) {
          if (rule.action === "Accept") continue;
          return "Deny";
        }
        const isHere = all(rule[side]).some((peer) => isClusterPeer(peer, ip));
        if (isHere && (rule.protocols === undefined || all(rule.protocols).some(isClusterProtocol)))
          return rule.action as string;
      }
    return undefined;
  };

  const passes = (direction: "ingress" | "egress", subject: RawPod | undefined, ip: string): boolean => {
    if (subject === undefined) return true;
    const admin = tier("Admin", direction, subject, ip);
    if (admin === "Accept") return true;
    if (admin === "Deny") return false;
    const { namespace, labels } = subject.metadata;
    const selecting = policies.filter(({ kind, metadata, spec }) => {
      if (kind !== "NetworkPolicy" || metadata.namespace !== namespace || !matches(spec.podSelector, labels))
        return false;
      const types = (spec.policyTypes ?? []) as string[];
      if (types.length > 0) return types.includes(direction === "ingress" ? "Ingress" : "Egress");
      return direction === "ingress" || all(spec.egress).length > 0;
    });
    if (selecting.length > 0)
      return selecting.some(({ spec }) =>
        all(spec[direction]).some((rule) => {
          const peers = all(rule[direction === "ingress" ? "from" : "to"]);
          const ports = all(rule.ports);
          return (
            (peers.length === 0 || peers.some((peer) => isNetworkPeer(peer, namespace, ip))) &&
            (ports.length === 0 || ports.some(isNetworkPort))
          );
        }),
      );
    return tier("Baseline", direction, subject, ip) !== "Deny";
  };
  return { egress: passes("egress", source, traffic.to), ingress: passes("ingress", target, traffic.from) };
}
