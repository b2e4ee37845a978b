/**
 * Nodes in namespaces, one pod on each: `n1` and `n2` on one segment, `n3` behind a router. Their records are made by hand,
 * what follows from them by lib/cluster and lib/datapath, and the kernel gets it by `look` and `apply` as in the daemon.
 */
import { execFileSync } from "node:child_process";
import { type Address, address, bitsOf, type Family, family, mac, type Prefix, prefix } from "#lib/address.ts";
import { keyInUse } from "#lib/cluster/key-rotation.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import { type ChosenWay, isChosen, isEncrypted, type Pair, type WayOptions, wayTo } from "#lib/cluster/ways.ts";
import { answersRules } from "#lib/datapath/egress/answers.ts";
import { type EgressPort, egressChains, egressFirst } from "#lib/datapath/egress/chains.ts";
import { type Exit, egressFacts, heldAddress, heldElement, leavers } from "#lib/datapath/egress/facts.ts";
import { nodeFacts } from "#lib/datapath/node.ts";
import { wayChains } from "#lib/datapath/ways/chains.ts";
import type { Here, There } from "#lib/datapath/ways/ends.ts";
import { type Devices, devicesWith, hereFacts, NO_DEVICES, peerFacts } from "#lib/datapath/ways/facts.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { WireguardOptions } from "#lib/kernel/linux/wireguard.ts";
import { linux } from "#lib/kernel/linux.ts";
import { lacking, type Op } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { run } from "../datapath/iproute.ts";
import { allOwned } from "../support/owned.ts";

export const NAMES = ["n1", "n2", "n3"] as const;
export type Name = (typeof NAMES)[number];

/** Segment and number on it. */
const PLACE = { n1: [1, 1], n2: [1, 2], n3: [2, 3] } as const;
const NETWORK = { 4: { 1: "192.0.2.", 2: "198.51.100." }, 6: { 1: "2001:db8:1::", 2: "2001:db8:2::" } } as const;
const LENGTH = { 4: 24, 6: 64 } as const;
const ROUTER = 254;

const underlayOf = (name: Name, of: Family): Address => {
  const [segment, number] = PLACE[name];
  return address(`${NETWORK[of][segment]}${number}`);
};
const blocksOf = (name: Name): Prefix[] => [
  prefix(`10.66.${PLACE[name][1]}.0/26`),
  prefix(`fd00:66:${PLACE[name][1]}::/122`),
];
const NODE_ITSELF = (name: Name): Address[] => [
  address(`10.66.${PLACE[name][1]}.1`),
  address(`fd00:66:${PLACE[name][1]}::1`),
];
export const podOf = (name: Name, of: Family): Address =>
  address(of === 4 ? `10.66.${PLACE[name][1]}.5` : `fd00:66:${PLACE[name][1]}::5`);
export const podNamespace = (name: Name): string => `${name}-pod`;

const ip = (...words: readonly string[]): string => execFileSync("ip", words, { encoding: "utf8", stdio: "pipe" });
const also = (work: () => unknown): void => {
  try {
    work();
  } catch {
    // Gone already.
  }
};

/** The wire, the router, the nodes and their pods; without any way yet. */
export function makeWire(): void {
  ip("netns", "add", "router");
  run("router", "ip link set lo up");
  for (const segment of [1, 2] as const) {
    run("router", `ip link add seg${segment} type bridge`);
    run("router", `ip link set seg${segment} up`);
    for (const f of [4, 6] as const)
      run(
        "router",
        `ip addr add ${NETWORK[f][segment]}${f === 4 ? ROUTER : "fe"}/${LENGTH[f]} dev seg${segment} nodad`,
      );
  }
  run("router", "sysctl -q -w net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1");
  for (const name of NAMES) makeNode(name);
  // What a network that routes pods' addresses knows.
  for (const name of NAMES)
    for (const block of blocksOf(name))
      run("router", `ip route add ${block} via ${underlayOf(name, family(block))} metric 999`);
}

function makeNode(name: Name): void {
  const [segment] = PLACE[name];
  ip("netns", "add", name);
  run(name, "ip link set lo up");
  run(name, `ip link add eth0 type veth peer name ${name} netns router`);
  run("router", `ip link set ${name} master seg${segment} up`);
  run(name, "ip link set eth0 up");
  for (const f of [4, 6] as const) {
    run(name, `ip addr add ${underlayOf(name, f)}/${LENGTH[f]} dev eth0 nodad`);
    run(name, `ip route add default via ${NETWORK[f][segment]}${f === 4 ? ROUTER : "fe"} dev eth0`);
  }
  const pod = podNamespace(name);
  ip("netns", "add", pod);
  run(pod, "ip link set lo up");
  run(pod, `ip link add eth0 type veth peer name pod0 netns ${name}`);
  run(pod, "ip link set eth0 up");
  run(name, "ip link set pod0 up");
  run(name, "ip addr add 169.254.1.1/32 dev pod0");
  run(name, "ip addr add fe80::1/64 dev pod0 nodad");
  for (const f of [4, 6] as const) {
    const own = `${podOf(name, f)}/${bitsOf(f)}`;
    run(pod, `ip addr add ${own} dev eth0 nodad`);
    run(pod, `ip route add default via ${f === 4 ? "169.254.1.1" : "fe80::1"} dev eth0${f === 4 ? " onlink" : ""}`);
    run(name, `ip route add ${own} dev pod0`);
  }
}

export function removeWire(): void {
  for (const name of [...NAMES.map(podNamespace), ...NAMES, "router"]) also(() => ip("netns", "del", name));
}

export interface WayNode {
  readonly name: Name;
  readonly kernel: Kernel;
  record: NodeRecord;
  /** What its kernel is to hold. */
  facts: readonly Fact[];
  readonly ways: Map<Name, Partial<Record<Family, ChosenWay>>>;
  /** Public half of the WireGuard key that it uses; absent: the oldest that it tells of. */
  active?: string;
  /** When a key of another node was last heard, seconds since the epoch. */
  readonly heard: Map<string, number>;
}

export interface Setting extends WayOptions {
  /** Of the network between the nodes: what addresses they have there. */
  readonly underlay: Family;
  readonly flowOffload?: boolean;
  /** Every pod leaves by it, and this node holds its addresses. */
  readonly egress?: { readonly port: EgressPort; readonly holder: Name };
}

/** The private half of a key by its public half; for WireGuard. */
export type Keys = Readonly<Record<Name, { readonly publicKeys: readonly string[]; readonly port: number }>>;

export function openNodes(
  setting: Setting,
  { keys, wireguard }: { keys?: Keys; wireguard?: (name: Name) => WireguardOptions } = {},
): WayNode[] {
  return NAMES.map((name): WayNode => {
    const kernel = linux({
      netns: `/run/netns/${name}`,
      ...(wireguard === undefined ? {} : { wireguard: wireguard(name) }),
    });
    const own = underlayOf(name, setting.underlay);
    return {
      name,
      kernel,
      record: {
        name,
        uid: name,
        addresses: [own],
        segments: [
          prefix(
            `${NETWORK[setting.underlay][PLACE[name][0]]}${setting.underlay === 4 ? "0" : ""}/${LENGTH[setting.underlay]}`,
          ),
        ],
        ways: ["direct", "vxlan", "gre", "wireguard"],
        tunnelAddresses: NODE_ITSELF(name),
        tunnelMac: mac(`02:66:00:00:00:0${PLACE[name][1]}`),
        ...(keys === undefined ? {} : { wireguard: keys[name] }),
        echoPort: 4_796,
        version: "test",
      },
      facts: [],
      ways: new Map(),
      heard: new Map(),
    };
  });
}

const PATH_MTU = 1_500;
const SHARED = { vxlan: { vni: 4_096, port: 4_789 }, gre: { key: 7 } } as const;

/** Nodes with everything that follows from the setting; afterwards they are as they were. */
export async function withNodes(
  setting: Setting,
  work: (nodes: readonly WayNode[]) => Promise<void>,
  options: Parameters<typeof openNodes>[1] = {},
): Promise<void> {
  const nodes = openNodes(setting, options);
  try {
    await decide(nodes, setting);
    for (const node of nodes) await ensure(node);
    await work(nodes);
  } finally {
    for (const { kernel } of nodes) {
      await kernel.apply(
        {},
        (await allOwned(kernel)).map((fact): Op => ({ do: "remove", fact })),
      );
      await kernel.settled();
      await kernel[Symbol.asyncDispose]();
    }
  }
}

/** By family of pods' addresses. */
type Ways = Partial<Record<Family, ChosenWay>>;

function waysOf(pair: Pair, options: WayOptions): Ways {
  const ways: Ways = {};
  for (const pods of [4, 6] as const) {
    const way = wayTo(pair, pods, options);
    if (isChosen(way)) ways[pods] = way;
  }
  return ways;
}

/** Decides everything anew, as after a change of a record or of a device. */
export async function decide(nodes: readonly WayNode[], setting: Setting): Promise<void> {
  for (const node of nodes) {
    const { wireguard, addresses, tunnelAddresses, tunnelMac } = node.record;
    const here: Here = {
      ...{ addresses, tunnelAddresses, tunnelMac },
      ...SHARED,
      encrypt: setting.encrypt,
      flowOffload: setting.flowOffload ?? false,
      ...(wireguard === undefined
        ? {}
        : { wireguard: { publicKey: node.active ?? wireguard.publicKeys.at(-1) ?? "", port: wireguard.port } }),
    };
    const others = nodes.filter((other) => other !== node);
    const reached = await node.kernel.egress(others.flatMap(({ record }) => record.addresses));
    const egressTo = (to: Address) => reached.find((each) => each.to === to);
    const within = { way: "vxlan", encrypt: isEncrypted(setting) } as const;
    let devices: Devices = NO_DEVICES;
    const theirs: Fact[] = [];
    for (const other of others) {
      const pair = { own: node.record, peer: other.record, egressTo };
      const ways = waysOf(pair, setting);
      const answers = setting.egress !== undefined && within.encrypt ? waysOf(pair, within) : {};
      node.ways.set(other.name, ways);
      for (const way of [...Object.values(ways), ...Object.values(answers)]) devices = devicesWith(devices, way);
      if (other.name === setting.egress?.holder)
        theirs.push(...leavingFacts(here, node, setting, leavingTo(other, waysOf(pair, within))));
      const { wireguard: keys, ...record } = other.record;
      const active = keyInUse(keys?.publicKeys ?? [], (key) => node.heard.get(key));
      const there: There = {
        ...record,
        ...(keys === undefined || active === undefined
          ? {}
          : { wireguard: { active, others: keys.publicKeys.filter((key) => key !== active), port: keys.port } }),
        prefixes: blocksOf(other.name),
        ways,
        answers,
      };
      theirs.push(...peerFacts(here, there));
    }
    if (node.name === setting.egress?.holder)
      theirs.push(...leavingFacts(here, node, setting, { 4: { kind: "here" }, 6: { kind: "here" } }));
    const ports = setting.egress === undefined ? [] : [setting.egress.port];
    const noMasquerade = [prefix("10.66.0.0/16"), prefix("fd00:66::/32")];
    node.facts = [
      ...nodeFacts({
        noMasquerade,
        routerAdvertisedLinks: [],
        chains: [
          ...wayChains(here),
          ...egressChains({ ports, within: noMasquerade, port: here.vxlan.port, encrypted: within.encrypt }),
        ],
        leaving: egressFirst(ports),
      }),
      ...hereFacts(here, devices),
      ...theirs,
    ];
  }
}

type Exits = Partial<Record<Family, Exit>>;

const leavingTo = ({ record: { tunnelMac: mac } }: WayNode, ways: Ways): Exits =>
  Object.fromEntries(Object.entries(ways).map(([pods, way]) => [pods, { kind: "node", way, mac }]));

/** Where packets of the node's pod go that leave the cluster; on the holder, what lets them leave there. */
function leavingFacts(here: Here, { name }: WayNode, { egress, ...options }: Setting, exits: Exits): Fact[] {
  if (egress === undefined) return [];
  const { port, holder } = egress;
  const pods = ([4, 6] as const).map((of) => podOf(name, of));
  return [
    ...(isEncrypted(options) ? answersRules(port.addresses) : []),
    ...egressFacts(here, PATH_MTU, here.vxlan.port, { index: 0, port, exits }),
    ...leavers(pods, 0, port.addresses),
    ...(name === holder
      ? port.addresses.flatMap((each): Fact[] => [
          heldAddress("eth0", each, { validSeconds: 3_600, announce: false }),
          heldElement(0, each),
        ])
      : []),
  ];
}

const lacks = async ({ kernel, facts }: WayNode): Promise<Op[]> => lacking(facts, await kernel.look({}, facts));

export const isWhole = async (node: WayNode): Promise<boolean> => (await lacks(node)).length === 0;

/** Makes what lacks; what was done. */
export async function ensure(node: WayNode): Promise<string[]> {
  const ops = await lacks(node);
  await node.kernel.apply({}, ops);
  return ops.map(line);
}

/** Headers of an echo request: ICMP 8 and IP. */
const HEADERS = { 4: 28, 6: 48 } as const;

/** Whether a packet of exactly so many bytes, not to be fragmented, gets from pod to pod and back. */
export function passes(from: Name, to: Name, of: Family, bytes: number): boolean {
  const pod = podNamespace(from);
  // What an earlier, larger packet taught of the path would answer for this one.
  run(pod, `ip -${of} route flush cache`);
  try {
    run(pod, `ping -${of} -n -q -M do -c 1 -W 3 -s ${bytes - HEADERS[of]} ${podOf(to, of)}`);
    return true;
  } catch {
    return false;
  }
}
