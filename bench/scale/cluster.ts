/** The records of a cluster that is there on paper only, as large as one likes. */
import { type Address, fromNumber, type Mac, macFromBytes, type Prefix, toNumber, withLength } from "#lib/address.ts";
import {
  aliveKey,
  type BlockRecord,
  blockKey,
  type FixedRecord,
  fixedKey,
  type LivenessRecord,
  type NodeRecord,
  nodeKey,
} from "#lib/cluster/records.ts";
import type { Known } from "#lib/cluster/view.ts";

export interface Shape {
  readonly nodes: number;
  readonly podsOfNode: number;
  /** Of those pods, how many have a fixed address, and are on another node than the one whose block it is in. */
  readonly fixedOfNode: number;
}

export const podsIn = ({ nodes, podsOfNode }: Shape): number => nodes * podsOfNode;

/** RFC 2544, for benchmarks: 131,070 nodes. */
export const UNDERLAY = { network: "198.18.0.0/15" as Prefix, first: "198.18.0.1" as Address } as const;
/** As the real node has it: its own blocks are beyond those of the 12,288 nodes that there can be on paper. */
export const POOL = {
  name: "default",
  ranges: [[{ subnet: "10.64.0.0/12", rangeStart: "10.76.0.0" }], [{ subnet: "fd66::/48", rangeStart: "fd66::c:0" }]],
} as const;
/** Addresses in a block: those of /26 and /122, the defaults. */
const BLOCK = 64;
/** Where in a block those that are fixed begin. */
const FIXED = 40;

const BASES = { 4: toNumber("10.64.0.0" as Address), 6: toNumber("fd66::" as Address) } as const;
const LENGTHS = { 4: 26, 6: 122 } as const;
const FAMILIES = [4, 6] as const;

export const nameOf = (node: number): string => `node-${String(node).padStart(5, "0")}`;
export const uidOf = (node: number): string => `00000000-0000-4000-8000-${node.toString(16).padStart(12, "0")}`;

const inBlock = (node: number, family: 4 | 6, offset: number): Address =>
  fromNumber(BASES[family] + BigInt(BLOCK * node + offset), family);
export const blockOf = (node: number, family: 4 | 6): Prefix => withLength(inBlock(node, family, 0), LENGTHS[family]);

/** `00:00` of a tunnel's MAC is the node's number. */
const macOf = (node: number): Mac => macFromBytes(Uint8Array.of(2, 0, 0, node >> 16, (node >> 8) & 255, node & 255));

export const underlayOf = (node: number): Address => fromNumber(toNumber(UNDERLAY.first) + BigInt(node), 4);

export const nodeRecord = (node: number, version = "1.0.0"): NodeRecord => ({
  name: nameOf(node),
  uid: uidOf(node),
  addresses: [underlayOf(node)],
  segments: [],
  ways: ["direct", "vxlan"],
  tunnelAddresses: FAMILIES.map((family) => inBlock(node, family, 0)),
  tunnelMac: macOf(node),
  echoPort: 4_796,
  version,
});

const blockRecord = ({ fixedOfNode }: Shape, node: number, family: 4 | 6): BlockRecord => ({
  pool: POOL.name,
  prefix: blockOf(node, family),
  node: nameOf(node),
  uid: uidOf(node),
  lent: {},
  fixed: Array.from({ length: fixedOfNode }, (_, i) => inBlock(node, family, FIXED + i)),
  writes: 1,
});

/** The `i`th fixed address out of a node's block, and where its pod is now. */
export const fixedRecord = (node: number, family: 4 | 6, i: number, holder: number): FixedRecord => ({
  pool: POOL.name,
  address: inBlock(node, family, FIXED + i),
  name: `default/db-${node}-${i}`,
  node: nameOf(holder),
  uid: uidOf(holder),
  writes: 1,
});

const known = (key: string, record: object): Known => ({ key, value: JSON.stringify(record) });

export const nodeEntry = (node: number, version?: string): Known =>
  known(nodeKey(nameOf(node)), nodeRecord(node, version));
export const aliveEntry = (node: number): Known =>
  known(aliveKey(nameOf(node)), { uid: uidOf(node) } satisfies LivenessRecord);
export const fixedEntry = (record: FixedRecord): Known => known(fixedKey(record.pool, record.address), record);

/** What one node brings when it joins. */
export const joining = (shape: Shape, node: number): Known[] => [
  nodeEntry(node),
  aliveEntry(node),
  ...FAMILIES.map((family) => {
    const record = blockRecord(shape, node, family);
    return known(blockKey(record.pool, record.prefix), record);
  }),
];

const fixedOf = ({ nodes, fixedOfNode }: Shape, node: number): Known[] =>
  Array.from({ length: fixedOfNode }, (_, i) =>
    FAMILIES.map((family) => fixedEntry(fixedRecord(node, family, i, (node + 1) % nodes))),
  ).flat();

/** All of it, in the order of the keys as a store lists them. */
export const recordsOf = (shape: Shape): Known[] =>
  Array.from({ length: shape.nodes }, (_, node) => [...joining(shape, node), ...fixedOf(shape, node)])
    .flat()
    .sort((a, b) => (a.key < b.key ? -1 : 1));
