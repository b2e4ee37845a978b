/**
 * May one end send to the other: the rules of both kinds of policy, applied to one packet that begins a connection, with
 * the rule that decides. What the kernel is given is made elsewhere (program.ts) and held to this.
 */
import { type Address, contains } from "#lib/address.ts";
import type { Action, Block, Direction, Labels, Peer, Pod, Policy, PortMatch, Protocol, Rule, Who } from "./objects.ts";
import { selects } from "./selector.ts";

/** An end of a connection: a pod, or an address that is no pod's. */
export interface End {
  readonly address: Address;
  readonly pod?: Pod;
}

export interface Packet {
  /** `other`: one without ports, such as ICMP. */
  readonly protocol: Protocol | "other";
  /** Of the destination; 0 for `other`. */
  readonly port: number;
}

export interface Decision {
  readonly verdict: "accept" | "deny";
  /** One sentence without a full stop. */
  readonly because: string;
  /** Which policy; absent where none has anything to say. */
  readonly policy?: string;
  /** Where in it; absent where it denies by accepting only others. */
  readonly rule?: string;
}

export interface Verdict {
  readonly verdict: "accept" | "deny";
  /** Of the sender's policies, then of the receiver's. Absent for an end that is no pod. */
  readonly egress?: Decision;
  readonly ingress?: Decision;
}

export interface World {
  readonly policies: readonly Policy[];
  /** Labels of a namespace by its name; of an unknown one, those that every namespace has. */
  readonly namespaceLabels: (name: string) => Labels;
}

/** A pod always reaches itself. */
export function verdict(world: World, from: End, to: End, packet: Packet): Verdict {
  if (from.address === to.address) return { verdict: "accept" };
  const egress = from.pod && decide(world, "egress", from.pod, to, packet);
  const ingress = to.pod && decide(world, "ingress", to.pod, from, packet);
  const isDenied = egress?.verdict === "deny" || ingress?.verdict === "deny";
  return {
    verdict: isDenied ? "deny" : "accept",
    ...(egress === undefined ? {} : { egress }),
    ...(ingress === undefined ? {} : { ingress }),
  };
}

/** What one pod's policies say of what comes in from, or goes out to, the other end. */
export function decide(world: World, direction: Direction, subject: Pod, other: End, packet: Packet): Decision {
  const receiver = direction === "ingress" ? subject : other.pod;
  const about = inOrder(world.policies, direction).filter(({ subject: who }) => isWho(world, who, subject));
  const fits = (rule: Rule): boolean =>
    (rule.peers?.some((peer) => isPeer(world, peer, other)) ?? true) &&
    (rule.ports?.some((port) => isPort(port, receiver, packet)) ?? true);
  for (const tier of ["admin", "network", "baseline"] as const) {
    const policies = about.filter((policy) => policy.tier === tier);
    for (const policy of policies) {
      const rule = policy.rules[direction]?.find(fits);
      if (rule === undefined) continue;
      if (rule.action === "pass") break;
      return {
        verdict: rule.action,
        policy: policy.name,
        rule: rule.name,
        because: `${policy.name} ${rule.name} ${SAYS[rule.action]} it`,
      };
    }
    const [first] = policies;
    if (tier === "network" && first !== undefined)
      return {
        verdict: "deny",
        policy: first.name,
        because: `${policies.map(({ name }) => name).join(", ")} ${policies.length === 1 ? "accepts" : "accept"} only other ${direction} traffic`,
      };
  }
  return { verdict: "accept", because: `no policy speaks of it` };
}

const SAYS = { accept: "accepts", deny: "denies", pass: "passes" } as const satisfies Record<Action, string>;

/** Those with rules for the direction, as they are asked: by priority, and among equals by name, so that every node agrees. */
export const inOrder = (policies: readonly Policy[], direction: Direction): Policy[] =>
  policies
    .filter(({ rules }) => rules[direction] !== undefined)
    .sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));

export const isWho = (
  { namespaceLabels }: Pick<World, "namespaceLabels">,
  { namespaces, pods }: Who,
  pod: Pick<Pod, "namespace" | "labels">,
): boolean =>
  ("name" in namespaces ? namespaces.name === pod.namespace : selects(namespaces, namespaceLabels(pod.namespace))) &&
  selects(pods, pod.labels);

const isPeer = (world: World, peer: Peer, { address, pod }: End): boolean =>
  peer.kind === "block" ? isInBlock(peer.block, address) : pod !== undefined && isWho(world, peer.who, pod);

export const isInBlock = ({ cidr, except }: Block, address: Address): boolean =>
  contains(cidr, address) && !except.some((inner) => contains(inner, address));

const isPort = (match: PortMatch, receiver: Pod | undefined, { protocol, port }: Packet): boolean =>
  match.kind === "range"
    ? match.protocol === protocol && match.first <= port && port <= match.last
    : receiver?.ports.some(
        (own) =>
          own.name === match.name &&
          own.protocol === protocol &&
          own.port === port &&
          (match.protocol === undefined || match.protocol === protocol),
      ) === true;
