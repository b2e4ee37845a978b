/**
 * The port to Linux. Two implementations: `fake.ts` (memory, as strict as Linux) and `linux.ts` (the real one);
 * both pass the contract suite in `test/kernel/contract.ts`.
 *
 * Ownership: on the host's side Selvedge owns links whose alias starts with `selvedge `, routes with its protocol
 * number, permanent neighbours on its own links, rules in its priority range, and the nftables tables named
 * `selvedge`. It never removes anything else.
 */

import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Egress } from "#lib/state/egress.ts";
import type { ElementFact, Fact } from "#lib/state/fact.ts";
import type { Feature } from "#lib/state/features.ts";
import type { Flow, LinkCounters } from "./counters.ts";
import type { Devices } from "./devices.ts";
import type { SeenPeer } from "./wireguard/device.ts";

/** RTA_PROTOCOL of our routes ("who installed this"); unassigned in linux/rtnetlink.h (v6.12). */
export const ROUTE_PROTOCOL = 0x53;

/** Whose namespace `pod` facts mean. Without `netns` only host facts may be named. */
export interface Scope {
  /** Path that can be opened: /run/netns/x, /proc/1/ns/net. */
  readonly netns?: string;
  /** Inode of the namespace seen when it was recorded: a path that now leads elsewhere counts as gone. */
  readonly netnsInode?: number;
}

export interface Kernel extends AsyncDisposable {
  /**
   * What stands at the identities of `facts`: for each fact whose thing exists, one fact with the properties it really
   * has (those that a fact of that type can name). The cost does not grow with the number of attachments on the node.
   * A namespace that is gone holds no facts.
   * @throws SelvedgeError kernel
   */
  look(scope: Scope, facts: readonly Fact[]): Promise<Fact[]>;

  /**
   * Performs the operations; the order is the kernel's business (nftables and neighbours before a link goes up,
   * parents before children, removals in the reverse order). Applying what already holds succeeds, and so does removing what is
   * gone. Links that are removed leave the data path at once; the deletion itself may finish behind the call, in groups
   * (`settled` waits for it).
   * Adding a link whose name is taken by something that is not ours throws `interface-exists`.
   * @throws SelvedgeError kernel, interface-exists, namespace-gone (an `add` at pod in a namespace that is gone)
   */
  apply(scope: Scope, ops: readonly Op[]): Promise<void>;

  /**
   * Every fact on the host's side that carries our mark, but for elements. Cost grows with the node; not for the path of
   * an ADD. @throws SelvedgeError kernel
   */
  owned(): Promise<Fact[]>;

  /**
   * Every element of our sets, of which there may be hundreds of thousands, in parts between which others have their turn:
   * what changes meanwhile may be missing, or come twice. @throws SelvedgeError kernel
   */
  elements(): AsyncIterable<readonly ElementFact[]>;

  /**
   * Inode of the namespace at `path`, or undefined if nothing is there or it is no network namespace.
   * @throws SelvedgeError kernel where that cannot be known, for want of descriptors or memory
   */
  namespaceInode(path: string): number | undefined;

  /** What of the node can be lent to a pod. */
  readonly devices: Devices;

  /**
   * What this kernel can and cannot, found out by trying in a namespace of its own that ends afterwards. A module that
   * only waits to be loaded is loaded, as the first use would do. @throws SelvedgeError kernel
   */
  features(): Promise<readonly Feature[]>;

  /** Facts of the environment that decisions need. */
  facts(): Promise<NodeFacts>;

  /**
   * Asks on the wire, by a link of the pod that is up and has none of them yet, whether somebody holds one of the
   * addresses or is about to take it (RFC 5227 section 2.1.1, RFC 4862 section 5.4). Every address is asked for
   * `probes` times, `intervalMs` apart, and the last probe, too, has that long to be answered; ends with the first
   * answer. Nothing waits meanwhile.
   * @throws SelvedgeError kernel, namespace-gone
   */
  probe(scope: Scope, link: string, addresses: readonly Address[], pace: Pace): Promise<readonly Holder[]>;

  /** Asks an address by ICMP from the pod, with a packet that nobody may cut. @throws SelvedgeError kernel, namespace-gone */
  ping(scope: Scope, question: Ping): Promise<Pinged>;

  /** How each of the addresses is reached by links that are not ours; nothing for one that is not. @throws SelvedgeError kernel */
  egress(addresses: readonly Address[]): Promise<readonly Egress[]>;

  /** How the peers of a wireguard device of the host are; none where there is no such device. @throws SelvedgeError kernel */
  wireguardPeers(link: string): Promise<readonly SeenPeer[]>;

  /** Counters of those of the host's links that are there. @throws SelvedgeError kernel */
  counters(links: readonly string[]): Promise<LinkCounters[]>;

  /** What rules have counted in a set of ours that they fill by themselves; nothing where it is not. @throws SelvedgeError kernel */
  flows(set: string): Promise<readonly Flow[]>;

  /** Deletes conntrack entries of these addresses (as source or destination, original or reply). Returns how many. */
  flushConntrack(addresses: readonly string[]): Promise<number>;
  /** Deletes conntrack entries that begin at these addresses and are not translated. Returns how many. */
  flushUntranslated(addresses: readonly string[]): Promise<number>;
  /** Deletes conntrack entries of a host port (original destination port, before translation). */
  flushConntrackPort(protocol: "tcp" | "udp" | "sctp", port: number): Promise<number>;

  /**
   * Calls back when something that may be ours, or where the machine is, was changed by somebody else (our own changes are not
   * reported).
   * `undefined` means: events were lost, look at everything. Ends with the signal.
   */
  watch(onChange: (change: Change | undefined) => void, signal: AbortSignal): Promise<void>;

  /** Links that are off the network but not deleted yet. */
  readonly pendingRemovals: number;
  /** Resolves when every removal that `apply` left behind has finished. */
  settled(): Promise<void>;
}

/** Where to look again. */
export type Change =
  | { readonly where: "host"; readonly link?: string }
  | { readonly where: "pod"; readonly netnsInode: number }
  | { readonly where: "nftables" }
  /** The machine's own, on links that are not ours, or its default routes. */
  | { readonly where: "addresses" };

export interface Pace {
  readonly probes: number;
  readonly intervalMs: number;
}

/** Who answered for an address. */
export interface Holder {
  readonly address: Address;
  readonly mac: Mac;
}

export interface Ping {
  /** One of the pod's, by which its routing rules choose a link. Absent: as its main table has it. */
  readonly from?: Address;
  readonly to: Address;
  /** Whoever passes it on after so many says so. 1 to 255. */
  readonly hopLimit: number;
  /** Of the whole IP packet. */
  readonly packetBytes: number;
  readonly patienceMs: number;
}

/** What became of it, and who said so; without `by` the pod's own kernel. */
export interface Pinged {
  readonly what: "answered" | "exceeded" | "unreachable" | "too-large" | "lost";
  readonly by?: Address;
  readonly rttUs?: number;
}

export interface NodeFacts {
  /** MTU of the device that holds the default route (IPv4, else IPv6), bytes; 1500 without one. */
  readonly pathMtu: number;
  readonly addresses: readonly string[];
  readonly kernelRelease: string;
  /** The link of that default route; absent without one. */
  readonly uplink?: string;
  /** Links of the node that are not ours and not its loopback. */
  readonly links: readonly string[];
  /** Addresses of those links, except link-local ones, each with the prefix that it has on the link, and the link's MTU. */
  readonly networks: readonly { readonly link: string; readonly address: Prefix; readonly mtuBytes: number }[];
  /** Destinations of the main table that lead out by those links; default routes left out. */
  readonly routes: readonly Prefix[];
}
