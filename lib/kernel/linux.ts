/** The real kernel: rtnetlink and sysctl in `linux/`, nftables in `nft/`, connection tracking in `conntrack.ts`. */

import { fstatSync } from "node:fs";
import { family } from "#lib/address.ts";
import type { Op } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { closeDescriptor, openNamespace } from "#native/namespace.ts";
import { openConntrack } from "./conntrack.ts";
import type { Kernel } from "./kernel.ts";
import { applyAdditions, type Part } from "./linux/add.ts";
import { linkCounters } from "./linux/counters.ts";
import { devices } from "./linux/devices.ts";
import { egressOf } from "./linux/egress.ts";
import { features } from "./linux/features.ts";
import { flowsIn } from "./linux/flows.ts";
import { indexes } from "./linux/indexes.ts";
import { lending } from "./linux/lending.ts";
import { lookAround } from "./linux/look.ts";
import { namespaceIds } from "./linux/namespace-ids.ts";
import { nodeFacts } from "./linux/node.ts";
import { ownedFacts } from "./linux/owned.ts";
import { ping } from "./linux/ping.ts";
import { hostPlace, namespaceGone, podPlace } from "./linux/place.ts";
import { probe } from "./linux/probe.ts";
import { removal } from "./linux/removal.ts";
import { applyRemovals } from "./linux/remove.ts";
import { isSwitching } from "./linux/switching.ts";
import { type Asked, watchNetwork } from "./linux/watch.ts";
import { type WireguardOptions, wireguard } from "./linux/wireguard.ts";
import { openNftables } from "./nft/nftables.ts";
import { dumpLinks } from "./rtnl/link.ts";
import { dumpNeighbours } from "./rtnl/neighbour.ts";

export interface LinuxOptions {
  /** Path of the network namespace that is the host here; absent for the one that the process runs in. */
  readonly netns?: string;
  /** From 0 to 1, as Math.random. */
  readonly random?: () => number;
  /** Told when a part of an `apply` is done. */
  readonly onPart?: (part: Part) => void;
  /** Where sysfs is mounted. */
  readonly sysfs?: string;
  /** Without it there can be no WireGuard devices. */
  readonly wireguard?: WireguardOptions;
}

/** @throws SelvedgeError kernel, namespace-gone (no network namespace at `netns`) */
export function linux({
  netns: path,
  random = Math.random,
  onPart = () => {},
  sysfs = "/sys",
  wireguard: wireguardOptions,
}: LinuxOptions = {}): Kernel {
  const netns = path === undefined ? undefined : openNamespace(path);
  if (path !== undefined && netns === undefined) throw namespaceGone({ netns: path });
  const leaving = removal(netns);
  const host = hostPlace(leaving.busy, netns);
  const nft = openNftables({ netns });
  const conntrack = openConntrack(netns);
  const nextIndex = indexes(random);
  const ids = namespaceIds(host);
  // Port 0 is the kernel's, and that of a socket that has not sent anything yet.
  const lent = lending(host, sysfs);
  const wg = wireguard(host, wireguardOptions);
  const asked = new Map<string, Asked>();
  const isOwnPort = (port: number): boolean =>
    port !== 0 && (port === process.pid || port === leaving.port() || host.ports().includes(port));

  return {
    async look(scope, facts) {
      await leaving.waitFor(hostLinks(facts));
      using pod = podPlace(scope, leaving.busy);
      const places = pod === undefined ? { host } : { host, pod };
      if (pod !== undefined && !ids.knows(pod.inode)) await ids.learn(pod, "ask");
      return [
        ...(await wg.look(await lookAround(places, facts), facts)),
        ...(await lent.look(pod, facts)),
        ...nft.look(facts),
      ];
    },

    async apply(scope, ops) {
      await leaving.waitFor(hostLinks(ops.flatMap((op) => (op.do === "remove" ? [] : [op.fact]))));
      const inPod = ops.filter((op) => op.fact.at === "pod");
      using pod = inPod.length === 0 ? undefined : podPlace(scope, leaving.busy);
      if (pod === undefined && inPod.some((op) => op.do !== "remove")) throw namespaceGone(scope);
      remember(asked, ops);
      const late = ops.filter((op) => isReplaced(op, ops));
      await lent.giveBack(pod, ops);
      await applyRemovals(
        [host, pod],
        leaving,
        ops.filter((op) => !late.includes(op)),
      );
      await lent.release(ops);
      onPart("taken-away");
      nft.apply(ops);
      onPart("nftables");
      await lent.prepare(pod, ops);
      await wg.prepare(nextIndex, ops);
      await applyAdditions({ host, pod }, nextIndex, ops, onPart);
      nft.applyToLinks(ops);
      await wg.configure(ops);
      await applyRemovals([host, pod], leaving, late);
      if (pod !== undefined) await ids.learn(pod, "assign");
    },

    owned: async () => [...(await wg.owned(await ownedFacts(host, leaving.pending))), ...nft.owned()],
    elements: nft.elements,
    devices: devices(host, sysfs),
    wireguardPeers: wg.peers,
    egress: (addresses) => egressOf(host, addresses),
    counters: (names) => linkCounters(host, names),
    flows: async (set) => flowsIn(host, set),
    facts: async () => nodeFacts(host),
    features: () => features(sysfs),
    async probe(scope, link, addresses, pace) {
      using pod = podPlace(scope, leaving.busy);
      if (pod === undefined) throw namespaceGone(scope);
      return await probe(pod, link, addresses, pace);
    },
    async ping(scope, question) {
      using pod = podPlace(scope, leaving.busy);
      if (pod === undefined) throw namespaceGone(scope);
      return await ping(pod, question);
    },
    settled: leaving.settled,
    get pendingRemovals() {
      return leaving.count;
    },
    flushConntrack: conntrack.flush,
    flushUntranslated: conntrack.flushUntranslated,
    flushConntrackPort: conntrack.flushPort,
    async watch(onChange, signal) {
      await Promise.all([
        nft.watch(() => onChange({ where: "nftables" }), signal),
        watchNetwork(
          {
            netns,
            ids,
            isOwnPort,
            asked: (id) => asked.get(id),
            present: () => [...host.dump(dumpLinks), ...host.dump(dumpNeighbours)],
          },
          onChange,
          signal,
        ),
      ]);
    },

    namespaceInode(path) {
      const fd = openNamespace(path);
      if (fd === undefined) return undefined;
      const { ino } = fstatSync(fd);
      closeDescriptor(fd);
      return ino;
    },
    async [Symbol.asyncDispose]() {
      await leaving[Symbol.asyncDispose]();
      host[Symbol.dispose]();
      nft[Symbol.dispose]();
      wg[Symbol.dispose]();
      conntrack[Symbol.dispose]();
      if (netns !== undefined) closeDescriptor(netns);
    },
  };
}

/** Notes what the host's links, VLANs of ports and forwarding entries are asked to be. */
function remember(asked: Map<string, Asked>, ops: readonly Op[]): void {
  for (const { do: verb, fact } of ops) {
    if ((fact.type !== "link" && !isSwitching(fact)) || fact.at !== "host") continue;
    if (verb === "remove") asked.delete(identity(fact));
    else asked.set(identity(fact), fact);
  }
}

/**
 * An IPv4 address goes after the one that comes in its place: with the last address of a link the kernel throws away
 * every IPv4 route and neighbour of it (net/ipv4/fib_frontend.c, fib_inetaddr_event).
 */
const isReplaced = ({ do: verb, fact }: Op, ops: readonly Op[]): boolean =>
  verb === "remove" &&
  fact.type === "address" &&
  family(fact.address) === 4 &&
  ops.some(
    ({ do: other, fact: next }) =>
      other === "add" &&
      next.type === "address" &&
      next.at === fact.at &&
      next.link === fact.link &&
      family(next.address) === 4,
  );

/** Names of the host's links that the facts speak of, directly or as the other end of a pair. */
function hostLinks(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) => {
    if (fact.type !== "link") return [];
    return [...(fact.at === "host" ? [fact.name] : []), ...(fact.peer?.at === "host" ? [fact.peer.name] : [])];
  });
}
