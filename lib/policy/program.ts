/**
 * The policies of a pod in one direction, ready to be asked about classes of peers. Pods with the same policies and, for
 * what comes in, the same named ports share a program.
 */

import { blockKey } from "./blocks.ts";
import { ANY_POD, OUTSIDE } from "./class-id.ts";
import { inOrder } from "./decide.ts";
import type { Direction, NamedPort, Peer, Policy, PortRange, Rule, Who } from "./objects.ts";
import { type FittingTier, type Row, rowOf } from "./row.ts";

/** Peers that no policy tells apart. */
export interface PeerClass {
  /** As the kernel knows it. */
  readonly id: string;
  readonly isPod: boolean;
  /** Keys of the peers' selectors that hold for it (`whoKey`). */
  readonly selected: ReadonlySet<string>;
  /** Keys of the blocks that it is in (`blockKey`). */
  readonly blocks: ReadonlySet<string>;
  /** Those that rules of senders ask for by name. */
  readonly ports: readonly NamedPort[];
}

export interface Program {
  readonly direction: Direction;
  /** For pods that no policy names, and for addresses in no block. */
  readonly usual: { readonly pods: Row; readonly outside: Row };
  /** False for classes that get the usual row. */
  isConcernedWith(peers: PeerClass): boolean;
  rowFor(peers: PeerClass): Row;
}

/** One text for a choice of pods, however it is written. */
export const whoKey = ({ namespaces, pods }: Who): string =>
  `${"name" in namespaces ? `=${namespaces.name}` : namespaces.text} | ${pods.text}`;

/** Every pod of every namespace: no class needs to be told apart for it. */
export const isEverybody = ({ namespaces, pods }: Who): boolean =>
  !("name" in namespaces) && namespaces.text === "" && pods.text === "";

const TIERS = ["admin", "network", "baseline"] as const;
const ALL_PODS: PeerClass = { id: ANY_POD, isPod: true, selected: new Set(), blocks: new Set(), ports: [] };
const NOWHERE: PeerClass = { ...ALL_PODS, id: OUTSIDE, isPod: false };

/** `policies`: those that select the pod; `ownPorts`: the pod's own. Undefined when nothing is said in that direction. */
export function program(
  direction: Direction,
  policies: readonly Policy[],
  ownPorts: readonly NamedPort[],
): Program | undefined {
  const about = inOrder(policies, direction);
  if (about.length === 0) return undefined;
  const tiers = TIERS.map((tier) => {
    const of = about.filter((policy) => policy.tier === tier);
    return { rules: of.flatMap(({ rules }) => rules[direction] ?? []), isolates: tier === "network" && of.length > 0 };
  });
  const all = tiers.flatMap(({ rules }) => rules);
  const peers = all.flatMap((rule) => rule.peers ?? []);
  const whos = new Set(peers.flatMap((peer) => (peer.kind === "pods" ? [whoKey(peer.who)] : [])));
  const blocks = new Set(peers.flatMap((peer) => (peer.kind === "block" ? [blockKey(peer.block)] : [])));
  const names = new Set(namesIn(all));

  const rowFor = (of: PeerClass): Row =>
    rowOf(
      tiers.map(({ rules, isolates }): FittingTier => {
        const fitting = rules.filter((rule) => rule.peers?.some((peer) => isPeer(peer, of)) ?? true);
        return {
          isolates,
          rules: fitting.map((rule) => resolved(rule, direction === "ingress" ? ownPorts : of.ports)),
        };
      }),
    );

  return {
    direction,
    usual: { pods: rowFor(ALL_PODS), outside: rowFor(NOWHERE) },
    isConcernedWith: ({ selected, blocks: within, ports }) =>
      !whos.isDisjointFrom(selected) ||
      !blocks.isDisjointFrom(within) ||
      (direction === "egress" && ports.some(({ name }) => names.has(name))),
    rowFor,
  };
}

/** Names of ports that rules ask for. */
export const namesIn = (rules: readonly Rule[]): string[] =>
  rules.flatMap(({ ports = [] }) => ports.flatMap((port) => (port.kind === "named" ? [port.name] : [])));

const isPeer = (peer: Peer, { isPod, selected, blocks }: PeerClass): boolean =>
  peer.kind === "block"
    ? blocks.has(blockKey(peer.block))
    : isPod && (isEverybody(peer.who) || selected.has(whoKey(peer.who)));

const resolved = ({ action, ports }: Rule, named: readonly NamedPort[]) =>
  ports === undefined
    ? { action }
    : {
        action,
        ports: ports.flatMap((port): PortRange[] => {
          if (port.kind === "range") return [port];
          return named
            .filter(({ name, protocol }) => name === port.name && (port.protocol ?? protocol) === protocol)
            .map(({ protocol, port: number }) => ({ protocol, first: number, last: number }));
        }),
      };

/** What tells two pods' programs apart besides their policies: the ports that rules of theirs ask for by name. */
export const portsAskedFor = (
  direction: Direction,
  policies: readonly Policy[],
  ownPorts: readonly NamedPort[],
): string => {
  if (direction === "egress") return "";
  const names = new Set(namesIn(policies.flatMap(({ rules }) => rules.ingress ?? [])));
  return portsText(ownPorts.filter(({ name }) => names.has(name)));
};

/** One text for ports, whatever their order. */
export const portsText = (ports: readonly NamedPort[]): string =>
  [...new Set(ports.map(({ name, protocol, port }) => `${name}=${protocol} ${port}`))]
    .sort((a, b) => (a < b ? -1 : 1))
    .join(", ");
