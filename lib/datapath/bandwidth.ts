/**
 * `bandwidth`: both directions are shaped on the host, where the pod cannot lift it. What enters the pod leaves the host by
 * the host's end, so its root queue shapes it; what leaves the pod is redirected to an ifb and shaped there.
 */
import type { Bandwidth } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { ShaperFact } from "#lib/state/traffic-fact.ts";

export interface Shaped {
  readonly bandwidth: Bandwidth;
  /** Host's end of the pod's link. */
  readonly link: string;
  /** Name and alias of the ifb that carries the pod's egress, if that is limited. */
  readonly ifb: string;
  readonly alias: string;
  /** Bytes, of the pod's link. Absent: the ifb keeps its own. */
  readonly mtu?: number;
}

/** Below this a full bucket does not last for one packet of 1,500 bytes within the longest time that tbf can count. */
const LEAST_RATE = 1_000;
/** 2^40 bit/s: above it 25 ms of traffic exceed the queue's limit, 32 bits of bytes (linux/pkt_sched.h, tc_tbf_qopt). */
const MOST_RATE = 2 ** 40;
/** Longest wait in the queue, as the reference plugin has it. */
export const LATENCY_US = 25_000;
/** Measured: a bucket of 1 ms, but at least this, holds 99.9 to 100.1 % of the rate. */
const LEAST_BURST_BYTES = 32_768;
/** tbf counts the bucket as time in 32 bits of 64 ns (net/pkt_sched.h, PSCHED_SHIFT): 274 s. */
const MOST_BURST_SECONDS = 274;
/** 32 bits for the queue's limit, which holds the bucket and 25 ms of the highest rate. */
const MOST_LIMIT_BYTES = 2 ** 32 - 1;
/** What containerd (2^32-1) and CRI-O (2^35-9) send for every pod: nobody asked for a burst (bits). */
const UNSAID_BURSTS: ReadonlySet<number> = new Set([2 ** 32 - 1, 2 ** 35 - 9]);

/** @throws SelvedgeError config-invalid for a burst without a rate, and for a rate that cannot be shaped */
export function bandwidthFacts({ bandwidth, link, ifb, alias, mtu }: Shaped): Fact[] {
  const into = shaper("ingress", bandwidth.ingressRate, bandwidth.ingressBurst, link);
  const out = shaper("egress", bandwidth.egressRate, bandwidth.egressBurst, ifb);
  return [
    ...(into === undefined ? [] : [into]),
    ...(out === undefined
      ? []
      : ([
          {
            type: "link",
            at: "host",
            name: ifb,
            kind: "ifb",
            up: true,
            ...(mtu === undefined ? {} : { mtu }),
            alias,
            noIpv6LinkLocal: true,
          },
          out,
          { type: "redirect", at: "host", link, to: ifb },
        ] satisfies Fact[])),
  ];
}

function shaper(direction: "ingress" | "egress", rate = 0, burst = 0, link: string): ShaperFact | undefined {
  const field = `runtimeConfig.bandwidth.${direction}`;
  if (rate === 0 && burst !== 0 && !UNSAID_BURSTS.has(burst))
    throw invalid(`${field}Burst`, `${field}Burst: ${burst} has no meaning without ${direction}Rate`);
  if (rate === 0) return undefined;
  if (!Number.isSafeInteger(rate) || rate < LEAST_RATE || rate > MOST_RATE)
    throw invalid(
      `${field}Rate`,
      `${field}Rate: ${rate} is not a rate from ${LEAST_RATE} to ${MOST_RATE} bit/s; leave it out for no limit`,
    );
  if (!Number.isSafeInteger(burst) || burst < 0)
    throw invalid(`${field}Burst`, `${field}Burst: ${burst} is not a whole number of bits`);
  return {
    type: "shaper",
    at: "host",
    link,
    rateBits: rate,
    burstBytes: burstOf(rate, burst),
    latencyUs: LATENCY_US,
  };
}

/** Bytes of a bucket for a rate and the burst that was asked for (bits). */
export const burstOf = (rateBits: number, burstBits = 0): number =>
  clamped(rateBits, Math.floor((UNSAID_BURSTS.has(burstBits) ? 0 : burstBits) / 8));

/** At least 1 ms of the rate and 32 kB, at most what tbf can count. */
function clamped(rateBits: number, burstBytes: number): number {
  const bytesPerSecond = rateBits / 8;
  const least = Math.max(LEAST_BURST_BYTES, Math.ceil(bytesPerSecond / 1_000));
  const queued = Math.ceil((bytesPerSecond * LATENCY_US) / 1_000_000);
  const most = Math.min(Math.floor(bytesPerSecond * MOST_BURST_SECONDS), MOST_LIMIT_BYTES - queued);
  return Math.min(Math.max(burstBytes, least), most);
}

const invalid = (field: string, message: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, message);
