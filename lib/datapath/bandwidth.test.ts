import { expect, test } from "@jest/globals";
import type { Bandwidth } from "#lib/cni/types.ts";
import { lines } from "../../test/attach/sample.ts";
import { fc } from "../../test/support/property.ts";
import { bandwidthFacts } from "./bandwidth.ts";

const made = (bandwidth: Bandwidth) =>
  bandwidthFacts({ bandwidth, link: "sv1", ifb: "sb1", alias: "selvedge c1 eth0", mtu: 1450 });

const cases: [name: string, bandwidth: Bandwidth, lines: string[]][] = [
  ["no limit", {}, []],
  ["0 is no limit", { ingressRate: 0, ingressBurst: 0, egressRate: 0, egressBurst: 0 }, []],
  [
    "into the pod",
    { ingressRate: 10_000_000, ingressBurst: 800_000 },
    ["+ qdisc tbf dev sv1 rate 10000000bit burst 100000b latency 25000us"],
  ],
  [
    "out of the pod",
    { egressRate: 10_000_000 },
    [
      "+ link sb1 ifb up mtu 1450 no-ipv6-link-local",
      "+ qdisc tbf dev sb1 rate 10000000bit burst 32768b latency 25000us",
      "+ filter ingress dev sv1 redirect sb1",
    ],
  ],
  [
    "a bucket of 1 ms where that is more than 32 kB",
    { ingressRate: 10_000_000_000 },
    ["+ qdisc tbf dev sv1 rate 10000000000bit burst 1250000b latency 25000us"],
  ],
  [
    "containerd's burst is nobody's wish",
    { ingressRate: 10_000_000, ingressBurst: 4_294_967_295 },
    ["+ qdisc tbf dev sv1 rate 10000000bit burst 32768b latency 25000us"],
  ],
  [
    "CRI-O's burst is nobody's wish, with or without a rate",
    { ingressRate: 10_000_000, ingressBurst: 34_359_738_359, egressBurst: 34_359_738_359 },
    ["+ qdisc tbf dev sv1 rate 10000000bit burst 32768b latency 25000us"],
  ],
  [
    "more than tbf can count",
    { ingressRate: 10_000_000_000, ingressBurst: 2 ** 40 },
    ["+ qdisc tbf dev sv1 rate 10000000000bit burst 4263717295b latency 25000us"],
  ],
  [
    "the lowest rate",
    { ingressRate: 1_000, ingressBurst: 2 ** 30 },
    ["+ qdisc tbf dev sv1 rate 1000bit burst 34250b latency 25000us"],
  ],
];
test.each(cases)("%s", (_name, bandwidth, expected) => expect(lines(made(bandwidth))).toEqual(expected));
test("the table has cases", () => expect(cases.length).toBeGreaterThan(5));

test.each([
  ["runtimeConfig.bandwidth.ingressBurst: 8000 has no meaning without ingressRate", { ingressBurst: 8_000 }],
  ["runtimeConfig.bandwidth.egressRate: 7 is not a rate from 1000 to 1099511627776 bit/s", { egressRate: 7 }],
  ["runtimeConfig.bandwidth.ingressRate: 1e+30 is not a rate from", { ingressRate: 1e30 }],
  ["runtimeConfig.bandwidth.ingressRate: -1 is not a rate from", { ingressRate: -1 }],
  ["runtimeConfig.bandwidth.egressBurst: -1 is not a whole number of bits", { egressRate: 8_000, egressBurst: -1 }],
] as [string, Bandwidth][])("%s", (message, bandwidth) => expect(() => made(bandwidth)).toThrow(message));

test("whatever is asked for within the limits, tbf can count it", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 2 ** 40 }), fc.nat({ max: 2 ** 45 }), (ingressRate, ingressBurst) => {
      const [shaper] = made({ ingressRate, ingressBurst });
      if (shaper?.type !== "shaper") throw new Error("a rate makes a shaper");
      const { burstBytes, latencyUs, rateBits } = shaper;
      expect(Number.isSafeInteger(burstBytes)).toBe(true);
      expect(burstBytes).toBeGreaterThanOrEqual(32_768);
      expect(burstBytes * 8).toBeGreaterThanOrEqual(rateBits / 1_000);
      expect((burstBytes * 8 * 1e9) / rateBits / 64).toBeLessThan(2 ** 32);
      expect((rateBits / 8) * (latencyUs / 1e6) + burstBytes).toBeLessThan(2 ** 32);
    }),
  ));
