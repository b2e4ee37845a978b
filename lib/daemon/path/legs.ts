/** The parts of a path that are this node's, looked at in its kernel; and the probes from a pod of it. */
import type { Address, Family } from "#lib/address.ts";
import { type ChosenWay, isChosen } from "#lib/cluster/ways.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { lacking } from "#lib/state/diff.ts";
import { line } from "#lib/state/line.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { PathHop, PathProbe } from "#proto/selvedge_pb.ts";
import type { Core } from "../core.ts";
import { addressesAt, isTenants, scopeOf } from "../record.ts";
import { arrivalStage, onwardStages, podStages, type Stage } from "./stages.ts";

/** IP and ICMP headers and 56 bytes, as ping has them. */
const SMALL_BYTES = { 4: 84, 6: 104 } as const;
const PATIENCE_MS = 700;
/** More nodes are never between two pods. */
const MOST_HOPS = 5;
const HOP_LIMIT = 64;

export interface Departure {
  readonly hops: readonly PathHop[];
  /** Absent on one node, or where there is none. */
  readonly way?: Pick<ChosenWay, "way" | "to" | "egress">;
}

/** From the pod to the node's edge. @param toNode absent: the other pod is on this node @throws SelvedgeError kernel, config-invalid */
export async function departing(core: Core, key: AttachmentKey, of: Family, toNode?: string): Promise<Departure> {
  const record = recordOf(core, key);
  const stages = stagesOf(record, key);
  const peer = toNode === undefined ? undefined : core.cluster?.peers.get(toNode);
  if (toNode === undefined) return { hops: await hopsOf(core, stages, record) };
  if (peer === undefined) {
    const unknown: Stage = { ...NOTHING, what: `${toNode} is not known here` };
    return { hops: await hopsOf(core, [...stages, unknown], record) };
  }
  const hops = await hopsOf(core, [...stages, ...onwardStages(peer, of, core.cluster?.facts() ?? [])], record);
  const way = peer.ways[of];
  return isChosen(way) ? { hops, way: { way: way.way, to: way.to, egress: way.egress } } : { hops };
}

const NOTHING = { place: "way", device: "", kind: "none", mtu: 0, checks: [], facts: [] } as const;

/**
 * From the node's edge to the pod. Of an address that no pod has, which has no container, the way ends at the edge.
 * @throws SelvedgeError kernel, config-invalid
 */
export async function arriving(
  core: Core,
  key: AttachmentKey,
  from?: { readonly node: string; readonly way: NonNullable<Departure["way"]>; readonly family: Family },
): Promise<PathHop[]> {
  const record = key.containerId === "" ? undefined : recordOf(core, key);
  const stages = record === undefined ? [] : stagesOf(record, key).reverse();
  if (from === undefined) return hopsOf(core, stages, record);
  const back = core.cluster?.peers.get(from.node)?.ways[from.family];
  const link = back !== undefined && isChosen(back) ? back.egress.link : undefined;
  const arrival = arrivalStage(from.node, from.way, { link, shared: core.cluster?.facts() ?? [] });
  return hopsOf(core, [arrival, ...stages], record);
}

const stagesOf = (record: AttachmentRecord, { ifname }: AttachmentKey): Stage[] =>
  podStages({ ...record, ifname }, addressesAt(record, ifname));

/** @throws SelvedgeError config-invalid */
function recordOf(core: Core, key: AttachmentKey): AttachmentRecord {
  const record = core.table.ofInterface(key);
  if (record !== undefined && !isTenants(record, key.ifname)) return record;
  const why = record === undefined ? "has gone meanwhile" : "is a tenant's, whose packets pass a router of its own";
  throw new SelvedgeError(
    { kind: "config-invalid", field: "pod" },
    `${key.ifname} of container ${key.containerId} ${why}; its path is not known`,
  );
}

/** @throws SelvedgeError kernel */
async function hopsOf(core: Core, stages: readonly Stage[], record?: AttachmentRecord): Promise<PathHop[]> {
  const node = core.cluster?.self.name ?? "";
  const hops: PathHop[] = [];
  const scope = record === undefined ? {} : scopeOf(record);
  for (const { facts, checks, ...stage } of stages) {
    const missing = lacking(facts, await core.kernel.look(scope, facts)).map(line);
    hops.push(PathHop.of({ node, ...stage, checks: [...new Set(checks)], missing }));
  }
  return hops;
}

/** A small packet, one as large as pods may send, and packets that each hop has to tell of. @throws SelvedgeError kernel, namespace-gone */
export async function probed(
  core: Core,
  key: AttachmentKey,
  { from, to, of, mtu }: { readonly from?: Address; readonly to: Address; readonly of: Family; readonly mtu: number },
): Promise<PathProbe[]> {
  const scope = scopeOf(recordOf(core, key));
  const probe = async (hopLimit: number, packetBytes: number): Promise<PathProbe> => {
    const patienceMs = PATIENCE_MS;
    const {
      what,
      by = "",
      rttUs = 0,
    } = await core.kernel.ping(scope, {
      ...(from === undefined ? {} : { from }),
      to,
      hopLimit: hopLimit || HOP_LIMIT,
      packetBytes,
      patienceMs,
    });
    return PathProbe.of({ hopLimit, bytes: packetBytes, outcome: what, by, rttUs });
  };
  // The first may have to wait for a neighbour to be found.
  let small = await probe(0, SMALL_BYTES[of]);
  if (small.outcome === "lost") small = await probe(0, SMALL_BYTES[of]);
  const probes = [small];
  if (small.outcome === "answered" && mtu > SMALL_BYTES[of]) {
    const large = await probe(0, mtu);
    // The first may only teach the pod of a narrow place.
    probes.push(large.outcome === "answered" ? large : await probe(0, mtu));
  }
  for (let hopLimit = 1; hopLimit <= MOST_HOPS; hopLimit++) {
    const hop = await probe(hopLimit, SMALL_BYTES[of]);
    probes.push(hop);
    if (hop.outcome !== "exceeded") break;
  }
  return probes;
}
