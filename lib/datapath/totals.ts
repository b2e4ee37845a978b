/**
 * All interfaces of a pod held to one rate together. Their traffic meets on one device for each direction, in a tree: half
 * of the whole is assured in equal parts, so that none starves; the rest, and what others leave, goes to the highest
 * priority first, up to the interface's own limit. A pod with one interface needs no tree: the smaller of the two limits is its own.
 */
import type { Mac } from "#lib/address.ts";
import type { Bandwidth } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { PodQos, Qos } from "#lib/qos.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { TreeClass, TreeFact } from "#lib/state/traffic-fact.ts";
import { bandwidthFacts, burstOf, LATENCY_US } from "./bandwidth.ts";

/** One interface of the pod, where its packets pass the node. */
export interface ShapedPlane {
  readonly bandwidth: Bandwidth;
  /** Host's end of the pair. */
  readonly link: string;
  /** The pod's end: tells the interfaces' frames apart on the device they share. */
  readonly mac: Mac;
  /** Name and alias of its own ifb. */
  readonly ifb: string;
  readonly alias: string;
  /** Bytes. */
  readonly mtu?: number;
  /** 0 to 7; absent: 0. */
  readonly priority?: number;
}

export interface PodDevices {
  /** Names of the two ifbs that the interfaces share, and their alias. */
  readonly into: string;
  readonly outOf: string;
  readonly alias: string;
}

/** What the network has for those rates that the runtime does not name; undefined without any. */
export function effectiveBandwidth(asked: Bandwidth | undefined, network: Qos | undefined): Bandwidth | undefined {
  const into = asked?.ingressRate === undefined && network?.ingressRate !== undefined;
  const out = asked?.egressRate === undefined && network?.egressRate !== undefined;
  if (!into && !out) return asked;
  return {
    ...asked,
    ...(into ? { ingressRate: network.ingressRate } : {}),
    ...(out ? { egressRate: network.egressRate } : {}),
  };
}

/**
 * Shapers, trees, devices and redirects of a whole pod: in place of what `bandwidthFacts` makes for each interface alone.
 * A direction without a total is shaped interface by interface.
 * @throws SelvedgeError config-invalid for a rate that cannot be shaped, and for more than 16 interfaces
 */
export function totals(planes: readonly ShapedPlane[], total: PodQos, devices: PodDevices): Fact[] {
  const [only, ...others] = planes;
  if (only === undefined) return [];
  if (others.length === 0) return bandwidthFacts({ ...only, bandwidth: capped(only.bandwidth, total) });
  if (planes.length > MOST_PLANES)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "podQos" },
      `podQos: ${planes.length} interfaces cannot be held to one total; ${MOST_PLANES} can`,
    );
  return [
    ...planes.flatMap((plane) => bandwidthFacts({ ...plane, bandwidth: alone(plane.bandwidth, total) })),
    ...(total.ingressRate === undefined ? [] : direction(planes, total.ingressRate, "ingress", devices)),
    ...(total.egressRate === undefined ? [] : direction(planes, total.egressRate, "egress", devices)),
  ];
}

const MOST_PLANES = 16;
/** Minor number of the first class; smaller ones are the tree's own. */
const FIRST_CLASS = 16;

/** One interface: a token bucket of the smaller rate. A burst that was asked for stays. */
export function capped(bandwidth: Bandwidth, total: PodQos): Bandwidth {
  const least = (own: number | undefined, whole: number | undefined) =>
    whole === undefined ? own : Math.min(own || whole, whole);
  const ingressRate = least(bandwidth.ingressRate, total.ingressRate);
  const egressRate = least(bandwidth.egressRate, total.egressRate);
  return {
    ...bandwidth,
    ...(ingressRate === undefined ? {} : { ingressRate }),
    ...(egressRate === undefined ? {} : { egressRate }),
  };
}

/** What is left for the interface's own buckets: the directions that have no total. */
function alone({ ingressRate, ingressBurst, egressRate, egressBurst }: Bandwidth, total: PodQos): Bandwidth {
  return {
    ...(total.ingressRate !== undefined || ingressRate === undefined ? {} : { ingressRate }),
    ...(total.ingressRate !== undefined || ingressBurst === undefined ? {} : { ingressBurst }),
    ...(total.egressRate !== undefined || egressRate === undefined ? {} : { egressRate }),
    ...(total.egressRate !== undefined || egressBurst === undefined ? {} : { egressBurst }),
  };
}

function direction(
  planes: readonly ShapedPlane[],
  rateBits: number,
  which: "ingress" | "egress",
  devices: PodDevices,
): Fact[] {
  const link = which === "ingress" ? devices.into : devices.outOf;
  const share = Math.floor(rateBits / 2 / planes.length);
  const classes = planes.map(({ bandwidth, mac, priority = 0 }, i): TreeClass => {
    const own = which === "ingress" ? bandwidth.ingressRate : bandwidth.egressRate;
    const asked = which === "ingress" ? bandwidth.ingressBurst : bandwidth.egressBurst;
    const ceilBits = Math.min(own || rateBits, rateBits);
    return {
      id: FIRST_CLASS + i,
      match: { field: which === "ingress" ? "destination" : "source", mac },
      rateBits: Math.min(share, ceilBits),
      ceilBits,
      burstBytes: burstOf(ceilBits, asked),
      order: 7 - priority,
    };
  });
  const mtu = Math.max(...planes.map((plane) => plane.mtu ?? 0));
  const tree: TreeFact = {
    type: "tree",
    at: "host",
    link,
    rateBits,
    burstBytes: burstOf(rateBits),
    latencyUs: LATENCY_US,
    classes,
  };
  return [
    {
      type: "link",
      at: "host",
      name: link,
      kind: "ifb",
      up: true,
      ...(mtu === 0 ? {} : { mtu }),
      alias: devices.alias,
      noIpv6LinkLocal: true,
    },
    tree,
    ...planes.map(
      (plane): Fact => ({
        type: "redirect",
        at: "host",
        link: plane.link,
        to: link,
        ...(which === "ingress" ? { hook: "egress" } : {}),
      }),
    ),
  ];
}
