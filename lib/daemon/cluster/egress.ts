/** Pods that leave the cluster by addresses of their own: who holds those now, and how this node's packets get there. */
import { type Address, type Family, family } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import type { ClusterView } from "#lib/cluster/view.ts";
import { type ChosenWay, isChosen, isEncrypted, wayTo } from "#lib/cluster/ways.ts";
import type { ClusterWays } from "#lib/config/cluster.ts";
import type { EgressAddresses } from "#lib/config/egress.ts";
import { answersRules } from "#lib/datapath/egress/answers.ts";
import type { EgressPort } from "#lib/datapath/egress/chains.ts";
import { type EgressPath, type Exit, egressFacts } from "#lib/datapath/egress/facts.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import type { Gateway } from "./gateway.ts";
import type { Peers } from "./peers.ts";
import type { Secrecy } from "./secrecy.ts";
import { hereOf } from "./there.ts";

/** Where packets go that leave by one address, for people. */
export interface EgressState {
  readonly name: string;
  readonly address: Address;
  /** Name of the node that the store says has it; undefined: none. */
  readonly holder: string | undefined;
  /** Milliseconds since the epoch; 0: never held. */
  readonly sinceMs: number;
  /** `here`, `node`, `nowhere`, as in `Exit`. */
  readonly exit: Exit["kind"];
  /** Why nowhere; else by what. */
  readonly reason: string;
}

export interface EgressWays {
  /** Recomputes where packets go, and performs the difference. @throws SelvedgeError kernel */
  settle(): Promise<Op[]>;
  /** What is wanted because of it, without the addresses themselves. */
  facts(): Fact[];
  states(): readonly EgressState[];
}

export interface EgressWaysOptions {
  readonly kernel: Pick<Kernel, "egress" | "look" | "apply">;
  readonly view: ClusterView;
  readonly ways: ClusterWays;
  readonly egress: readonly EgressAddresses[];
  readonly gateway: Pick<Gateway, "holds" | "elements">;
  readonly peers: Peers;
  readonly own: () => NodeRecord;
  /** Of the link between the nodes, bytes. */
  readonly pathMtu: () => number;
  readonly keys: Pick<Secrecy, "active">;
}

export const portsOf = (egress: readonly EgressAddresses[]): EgressPort[] =>
  egress.map(({ name, addresses, vni }) => ({ name, addresses, vni }));

export function egressWays(options: EgressWaysOptions): EgressWays {
  const { kernel, view, ways, egress, gateway, peers, own } = options;
  const ports = portsOf(egress);
  let wanted: readonly Fact[] = [];
  let found: EgressState[] = [];
  /** What was wanted last is not there yet. */
  let unfinished = false;

  /** @throws SelvedgeError kernel */
  const wayToHolder = async (peer: NodeRecord, of: Family): Promise<ChosenWay | string> => {
    const reached = new Map((await kernel.egress(peer.addresses)).map((each) => [each.to as string, each]));
    const pair = { own: own(), peer, egressTo: (address: string) => reached.get(address) };
    const way = wayTo(pair, of, { way: "vxlan", encrypt: isEncrypted(ways) });
    return isChosen(way) ? way : way.reason;
  };

  /** @throws SelvedgeError kernel */
  const exitOf = async (address: Address): Promise<[exit: Exit, reason: string]> => {
    if (gateway.holds(address)) return [{ kind: "here" }, ""];
    const nowhere = (reason: string): [Exit, string] => [{ kind: "nowhere" }, reason];
    const record = view.egress.get(address);
    if (record?.node === undefined) return nowhere("no node holds it");
    if (record.uid === own().uid) return nowhere("this node is to hold it, and does not yet");
    const peer = view.nodes.get(record.node);
    if (peer === undefined || peer.uid !== record.uid) return nowhere(`${record.node} is not known`);
    if (peers.all.get(peer.name)?.liveness === "dead") return nowhere(`${record.node} is dead`);
    const way = await wayToHolder(peer, family(address));
    if (typeof way === "string") return nowhere(way);
    return [{ kind: "node", way, mac: peer.tunnelMac }, way.reason];
  };

  return {
    states: () => found,
    facts: () => [...wanted, ...gateway.elements()],
    async settle() {
      if (egress.length === 0) return [];
      const states: EgressState[] = [];
      const paths: EgressPath[] = [];
      for (const [index, port] of ports.entries()) {
        const exits: Partial<Record<Family, Exit>> = {};
        for (const address of port.addresses) {
          const [exit, reason] = await exitOf(address);
          exits[family(address)] = exit;
          const record = view.egress.get(address);
          const held = { holder: record?.node, sinceMs: record?.sinceMs ?? 0 };
          states.push({ name: port.name, address, ...held, exit: exit.kind, reason });
        }
        paths.push({ index, port, exits });
      }
      const here = hereOf(own(), ways, options.keys.active);
      const facts = [
        ...(isEncrypted(ways) ? answersRules(egress.flatMap(({ addresses }) => addresses)) : []),
        ...paths.flatMap((path) => egressFacts(here, options.pathMtu(), ways.vxlan.port, path)),
      ];
      found = states;
      if (!unfinished && JSON.stringify(facts) === JSON.stringify(wanted)) return [];
      const kept = new Set([...facts, ...peers.facts()].map(identity));
      const before = wanted;
      wanted = facts;
      unfinished = true;
      const ops = [
        ...before.filter((fact) => !kept.has(identity(fact))).map((fact): Op => ({ do: "remove", fact })),
        ...lacking(facts, await kernel.look({}, facts)),
      ];
      await kernel.apply({}, ops);
      unfinished = false;
      return ops;
    },
  };
}
