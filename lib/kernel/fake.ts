/**
 * Linux in memory, as strict as the real one: the same suite (`test/kernel/contract.ts`) runs against both, so it cannot drift.
 * Beside the port it has what a test needs to play the rest of the world.
 */
import { type Address, lengthOf, type Mac, type Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { Fact } from "#lib/state/fact.ts";
import { FEATURES, type FeatureName } from "#lib/state/features.ts";
import type { Place } from "#lib/state/place.ts";
import type { Flow, LinkCounters } from "./counters.ts";
import { ensureForward, ensurePortMac, ensurePortVlan, forwardKey } from "./fake/bridge.ts";
import { deleteNetwork, deviceOf, type Network, newNetwork } from "./fake/device.ts";
import {
  ensureAddress,
  ensureNeighbour,
  ensureRoute,
  ensureRule,
  ensureSysctl,
  removeAddress,
  removeRoute,
  ruleKey,
} from "./fake/internet.ts";
import { comeHome, fakeDevices, type Hardware, lookAtBench, newBench, performOnBench, plug } from "./fake/lent.ts";
import { ensureLink, isOurs, type NetworkAt, removeLink } from "./fake/link.ts";
import { look, owned } from "./fake/look.ts";
import { meddle } from "./fake/meddle.ts";
import { inOrder } from "./fake/order.ts";
import { refusal } from "./fake/refusal.ts";
import { deleteTable, ensureElement, ensureTable, ownElements, type Ruleset, removeElement } from "./fake/ruleset.ts";
import { ensureMirror, ensureQueue, ensureRedirect, removeTraffic } from "./fake/traffic.ts";
import { ensurePeer } from "./fake/wireguard.ts";
import type { Change, Kernel, NodeFacts, Pinged, Scope } from "./kernel.ts";
import type { Meddling } from "./meddling.ts";
import type { SeenPeer } from "./wireguard/device.ts";

/** A tracked connection, as far as flushing looks at it. */
export interface Connection {
  readonly protocol: "tcp" | "udp" | "sctp";
  /** Source and destination of the original and of the reply direction. */
  readonly addresses: readonly string[];
  /** Original destination port. */
  readonly port: number;
}

export interface FakeKernel extends Kernel {
  /** The kernel of a program whose host is the namespace at a path: a tenant's router. */
  hostAt(path: string): Kernel;
  /** Makes a namespace at a path (or shows one more path to an inode that exists) and returns its inode. */
  addNamespace(path: string, inode?: number): number;
  /** Takes the path away, and with the last path the namespace. */
  removeNamespace(path: string): void;
  /** Somebody else changes something, in the namespace at a path or on the host. Watchers hear of it. */
  meddle(netns: string | undefined, change: Meddling): void;
  /** The `nth` operation from now (1 is the next) fails once with this errno; what came before it stays done. */
  failAt(nth: number, errno: Parameters<typeof refusal>[1]): void;
  /** Tells every watcher that events were lost. */
  loseEvents(): void;
  readonly connections: Connection[];
  /** By link: what `counters` answers; nothing was counted on others. */
  readonly counted: Map<string, Partial<LinkCounters>>;
  /** By set: what `flows` answers. */
  readonly flowing: Map<string, readonly Flow[]>;
  /** How addresses are reached, by address: what `egress` answers. */
  readonly reached: Map<Address, Egress>;
  /** What pings to an address come to; those to any other are lost. */
  readonly pings: Map<Address, Pinged>;
  /** What WireGuard's peers have told, by public key. */
  readonly handshakes: Map<string, Partial<SeenPeer>>;
  /** What this kernel was built without: a test adds to it. */
  readonly absent: Set<FeatureName>;
  /** Who else is on the wire, by address: they answer probes. */
  readonly neighbours: Map<Address, Mac>;
  /** A card, or a function of one; its link is made on the host. `settings`: of a virtual function. */
  plug(hardware: Hardware, settings?: VirtualFunctionSettings): void;
}

export function fakeKernel(nodeFacts: Partial<NodeFacts> = {}): FakeKernel {
  const absent = new Set<FeatureName>();
  const node = newNetwork(4_026_531_840, absent);
  const networks = new Map<number, Network>([[node.inode, node]]);
  const paths = new Map<string, number>([["/proc/self/ns/net", node.inode]]);
  const rulesets = new Map<Network, Ruleset>();
  const connections: Connection[] = [];
  const counted = new Map<string, Partial<LinkCounters>>();
  const flowing = new Map<string, readonly Flow[]>();
  const neighbours = new Map<Address, Mac>();
  const reached = new Map<Address, Egress>();
  const pings = new Map<Address, Pinged>();
  const handshakes = new Map<string, Partial<SeenPeer>>();
  const bench = newBench();
  const watchers = new Map<(change: Change | undefined) => void, Network>();
  let nextInode = 4_026_532_000;
  let failure: { in: number; errno: Parameters<typeof refusal>[1] } | undefined;

  const rulesetOf = (network: Network): Ruleset => {
    const known = rulesets.get(network) ?? new Map();
    rulesets.set(network, known);
    return known;
  };

  const flush = (matches: (connection: Connection) => boolean): number => {
    const kept = connections.filter((connection) => !matches(connection));
    return connections.splice(0, connections.length, ...kept).length - kept.length;
  };

  /** The kernel as it is used with one network as the host. */
  function withHost(host: Network): Kernel {
    const ruleset = rulesetOf(host);

    const networkAt =
      ({ netns, netnsInode }: Scope): NetworkAt =>
      (place: Place) => {
        if (place === "host") return host;
        const inode = netns === undefined ? undefined : paths.get(netns);
        return inode === undefined || (netnsInode !== undefined && netnsInode !== inode)
          ? undefined
          : networks.get(inode);
      };

    const perform = (at: NetworkAt, op: Op): void => {
      if (failure !== undefined && --failure.in === 0) {
        const { errno } = failure;
        failure = undefined;
        throw refusal(`${op.do} ${op.fact.type}`, errno);
      }
      if (performOnBench(bench, { host, pod: at("pod"), all: networks.values() }, op)) return;
      const network = at(op.fact.at);
      if (op.do === "remove") {
        if (network !== undefined) remove(network, ruleset, op.fact);
      } else if (network !== undefined) ensure(at, network, ruleset, op.fact);
    };

    return {
      look: async (scope, facts) => [
        ...look(networkAt(scope), ruleset, facts),
        ...facts.flatMap((fact) => lookAtBench(bench, fact, networkAt(scope)("pod")) ?? []),
      ],
      devices: fakeDevices(bench, host),
      async apply(scope, ops) {
        const at = networkAt(scope);
        if (at("pod") === undefined && ops.some((op) => op.do !== "remove" && op.fact.at === "pod")) {
          const path = scope.netns ?? "";
          throw new SelvedgeError({ kind: "namespace-gone", path }, `no network namespace at ${JSON.stringify(path)}`);
        }
        for (const op of inOrder(ops)) perform(at, op);
      },
      owned: async () => owned(host, ruleset),
      async *elements() {
        yield ownElements(ruleset);
      },
      features: async () =>
        (Object.keys(FEATURES) as FeatureName[]).map((name) => ({
          name,
          present: !absent.has(name),
          ...FEATURES[name],
        })),
      namespaceInode: (path) => paths.get(path),
      facts: async () => ({
        pathMtu: 1500,
        addresses: ["192.0.2.1"],
        kernelRelease: "6.18.0",
        routes: [],
        networks: [{ link: "up0", address: "192.0.2.1/24" as Prefix, mtuBytes: 1500 }],
        links: [...host.devices.values()].flatMap((device) =>
          device.kind === "loopback" || isOurs(device) ? [] : [device.name],
        ),
        ...nodeFacts,
      }),
      async ping(scope, { to }) {
        if (networkAt(scope)("pod") === undefined) throw refusal("ping", "ENOENT");
        return pings.get(to) ?? { what: "lost" };
      },
      async probe(scope, link, addresses) {
        const network = networkAt(scope)("pod");
        if (network === undefined) throw refusal("probe", "ENOENT");
        deviceOf(network, link, `probe on ${link}`);
        return addresses.flatMap((address) => {
          const mac = neighbours.get(address);
          return mac === undefined ? [] : [{ address, mac }];
        });
      },
      wireguardPeers: async (link) =>
        [...(host.devices.get(link)?.peers.values() ?? [])].map(({ publicKey, endpoint, allowed }) => ({
          ...{ publicKey, endpoint, allowed },
          rxBytes: 0,
          txBytes: 0,
          ...handshakes.get(publicKey),
        })),
      egress: async (addresses) => addresses.flatMap((address) => reached.get(address) ?? []),
      flows: async (set) => flowing.get(set) ?? [],
      counters: async (names) =>
        names
          .filter((name) => host.devices.has(name))
          .map((link) => ({ link, rxBytes: 0, rxPackets: 0, txBytes: 0, txPackets: 0, ...counted.get(link) })),
      flushConntrack: async (addresses) => flush((c) => c.addresses.some((address) => addresses.includes(address))),
      flushUntranslated: async (addresses) =>
        flush(
          ({ addresses: [from, to, backFrom, backTo] }) =>
            from !== undefined && addresses.includes(from) && from === backTo && to === backFrom,
        ),
      flushConntrackPort: async (protocol, port) => flush((c) => c.protocol === protocol && c.port === port),
      watch(onChange, signal) {
        watchers.set(onChange, host);
        return new Promise((resolve) => {
          const end = () => {
            watchers.delete(onChange);
            resolve();
          };
          if (signal.aborted) end();
          else signal.addEventListener("abort", end, { once: true });
        });
      },
      pendingRemovals: 0,
      settled: async () => {},
      async [Symbol.asyncDispose]() {
        for (const [tell, of] of watchers) if (of === host) watchers.delete(tell);
      },
    };
  }

  return {
    ...withHost(node),
    connections,
    neighbours,
    reached,
    pings,
    handshakes,
    absent,
    counted,
    flowing,
    plug: (hardware, settings) => plug(bench, node, hardware, settings),
    hostAt(path) {
      const network = networks.get(paths.get(path) ?? 0);
      if (network === undefined) throw refusal("open namespace", "ENOENT");
      return withHost(network);
    },
    addNamespace(path, inode = nextInode++) {
      if (!networks.has(inode)) networks.set(inode, newNetwork(inode, absent));
      paths.set(path, inode);
      return inode;
    },
    removeNamespace(path) {
      const inode = paths.get(path);
      paths.delete(path);
      if (inode === undefined || inode === node.inode || [...paths.values()].includes(inode)) return;
      const network = networks.get(inode);
      networks.delete(inode);
      if (network === undefined) return;
      comeHome(bench, network, node);
      deleteNetwork(network);
    },
    meddle(netns, change) {
      const network = netns === undefined ? node : networks.get(paths.get(netns) ?? 0);
      if (network === undefined) throw refusal("open namespace", "ENOENT");
      meddle(network, rulesetOf(network), change);
      for (const [tell, host] of watchers) tell(whereOf(network, host, change));
    },
    failAt: (nth, errno) => {
      failure = { in: nth, errno };
    },
    loseEvents: () => {
      for (const tell of watchers.keys()) tell(undefined);
    },
  };
}

function whereOf(network: Network, host: Network, change: Meddling): Change {
  if (network !== host) return { where: "pod", netnsInode: network.inode };
  if (isOfMachine(network, change)) return { where: "addresses" };
  if ("link" in change) return { where: "host", link: change.link };
  return change.do === "write-sysctl" ? { where: "host" } : { where: "nftables" };
}

function isOfMachine(network: Network, change: Meddling): boolean {
  if (change.do !== "add-address" && change.do !== "delete-address" && change.do !== "add-route") return false;
  if (change.do === "add-route" && lengthOf(change.to) > 0) return false;
  return network.devices.get(change.link)?.isOurs !== true;
}

function ensure(at: NetworkAt, network: Network, ruleset: Ruleset, fact: Fact): void {
  switch (fact.type) {
    case "link":
      ensureLink(at, network, fact);
      return;
    case "address":
      ensureAddress(network, fact);
      return;
    case "route":
      ensureRoute(network, fact, true);
      return;
    case "neighbour":
      ensureNeighbour(network, fact);
      return;
    case "rule":
      ensureRule(network, fact);
      return;
    case "sysctl":
      ensureSysctl(network, fact);
      return;
    case "shaper":
    case "tree":
      ensureQueue(network, fact);
      return;
    case "redirect":
      ensureRedirect(network, fact);
      return;
    case "mirror":
      ensureMirror(network, fact);
      return;
    case "port-vlan":
      ensurePortVlan(network, fact);
      return;
    case "forward":
      ensureForward(network, fact);
      return;
    case "port-mac":
      ensurePortMac(network, fact);
      return;
    case "wireguard-peer":
      ensurePeer(network, fact);
      return;
    case "vf":
    case "driver":
    case "rdma":
      // On the bench: see fake/lent.ts.
      return;
    case "offload":
      deviceOf(network, fact.link, `offload ${fact.link}`).offloaded = true;
      return;
    case "table":
      ensureTable(ruleset, fact);
      return;
    case "element":
      ensureElement(ruleset, fact);
      return;
  }
}

/** What is gone already is as good as removed. */
function remove(network: Network, ruleset: Ruleset, fact: Fact): void {
  const device = "link" in fact ? network.devices.get(fact.link) : undefined;
  switch (fact.type) {
    case "link":
      removeLink(network, fact);
      return;
    case "address":
      if (device !== undefined) removeAddress(device, fact.address);
      return;
    case "route":
      removeRoute(network, fact);
      return;
    case "neighbour":
      device?.neighbours.delete(fact.address);
      return;
    case "rule":
      network.rules.delete(ruleKey(fact));
      return;
    case "sysctl":
      // A key of the kernel cannot be taken away, and its former value is not ours to guess.
      return;
    case "shaper":
    case "tree":
    case "redirect":
    case "mirror":
      if (device !== undefined) removeTraffic(device, fact);
      return;
    case "port-vlan":
      device?.vlans.delete(fact.vid);
      return;
    case "forward":
      device?.forwards.delete(forwardKey(fact));
      return;
    case "port-mac":
      device?.behind.delete(fact.mac);
      return;
    case "wireguard-peer":
      device?.peers.delete(fact.publicKey);
      return;
    case "vf":
    case "driver":
    case "rdma":
      // On the bench: see fake/lent.ts.
      return;
    case "offload":
      if (device !== undefined) device.offloaded = false;
      return;
    case "table":
      deleteTable(ruleset, fact.family, fact.name);
      return;
    case "element":
      removeElement(ruleset, fact);
      return;
  }
}
