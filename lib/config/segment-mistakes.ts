/** What is wrong with a tenant's segment between nodes that are written by hand (`networks[].encapsulation`). */
import { type Address, address, family } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { listAt } from "./overlaps.ts";
import type { Path } from "./yaml.ts";

/** RFC 7348; what is left out of `encapsulation` and of `cluster.vxlan`. */
const DEFAULT = { vni: 4_096, port: 4_789 } as const;

/** That the cluster's own packets have, as it is written or left out. */
export const clusterVxlan = (root: unknown, key: keyof typeof DEFAULT): unknown =>
  lookUp(root, ["cluster", "vxlan", key]) ?? DEFAULT[key];

export const segmentMistakes = (root: unknown): Complaint[] => [
  ...listAt(root, "networks").flatMap((network, i) => {
    if (lookUp(network, ["encapsulation"]) === undefined) return [];
    const at: Path = ["networks", i, "encapsulation"];
    return [
      ...wrongType(root, network, at),
      ...noVlans(network, i, "encapsulation"),
      ...severalFamilies(network, at),
      ...unencrypted(root, at),
    ];
  }),
  ...segmentsTwice(root),
];

function wrongType(root: unknown, network: unknown, at: Path): Complaint[] {
  const type = lookUp(network, ["attachment"]) ?? lookUp(root, ["defaults", "attachment"]) ?? "ptp";
  if (type === "bridge" || lookUp(network, ["tenant"]) === undefined) return [];
  return [complaint(at, `needs attachment "bridge", not ${JSON.stringify(type)}`)];
}

const VLANS: readonly Path[] = [["vlan"], ["options", "vlan"], ["options", "vlanTrunk"]];

/** The tunnel's end is a port without a VLAN: where a bridge keeps VLANs apart, nothing would pass it. */
export const noVlans = (network: unknown, i: number, setting: "encapsulation" | "stretch"): Complaint[] =>
  VLANS.flatMap((path) => {
    const value = lookUp(network, path);
    if (value === undefined || value === 0 || (Array.isArray(value) && value.length === 0)) return [];
    const text = `${JSON.stringify(value)} is not possible together with ${setting}, whose frames have no VLAN; give each VLAN a network and a vni of its own`;
    return [complaint(["networks", i, ...path], text)];
  });

/** The kernel sends the outer packets of one link by one family (drivers/net/vxlan/vxlan_core.c, vxlan_fdb_add, v6.12). */
function severalFamilies(network: unknown, at: Path): Complaint[] {
  const peers = listAt(lookUp(network, ["encapsulation"]), "peers").map(addressIn);
  const first = peers.find((peer) => peer !== undefined);
  if (first === undefined) return [];
  const local = addressIn(lookUp(network, ["encapsulation", "local"]));
  const given: [path: Path, address: Address | undefined][] = [
    ...peers.map((peer, j): [Path, Address | undefined] => [[...at, "peers", j], peer]),
    [[...at, "local"], local],
  ];
  return given.flatMap(([path, one]) =>
    one === undefined || family(one) === family(first)
      ? []
      : [complaint(path, `${one} and ${first} are of different families; a segment's outer packets are of one`)],
  );
}

/** Peers need not be nodes, and those who are none have no WireGuard. */
function unencrypted(root: unknown, at: Path): Complaint[] {
  const asks =
    lookUp(root, ["cluster", "encrypt"]) === true
      ? "cluster.encrypt"
      : lookUp(root, ["cluster", "way"]) === "wireguard"
        ? 'cluster.way "wireguard"'
        : undefined;
  return asks === undefined
    ? []
    : [complaint(at, `is not possible together with ${asks}: its packets travel outside of WireGuard, unencrypted`)];
}

/** The kernel has one link for a VNI and a port in the node's namespace. */
function segmentsTwice(root: unknown): Complaint[] {
  const holders = new Map<string, string>(
    lookUp(root, ["cluster"]) === undefined
      ? []
      : [[`${clusterVxlan(root, "vni")} ${clusterVxlan(root, "port")}`, "the cluster"]],
  );
  return listAt(root, "networks").flatMap((network, i) => {
    const vni = lookUp(network, ["encapsulation", "vni"]);
    if (vni === undefined) return [];
    const key = `${vni} ${lookUp(network, ["encapsulation", "port"]) ?? DEFAULT.port}`;
    const holder = holders.get(key);
    holders.set(key, `network "${String(lookUp(network, ["name"]))}"`);
    if (holder === undefined) return [];
    return [complaint(["networks", i, "encapsulation", "vni"], `${vni} is that of ${holder} already`)];
  });
}

/** What cannot be read is another one's complaint. */
const addressIn = (value: unknown): Address | undefined => readable(() => address(value));
