import { expect, test } from "@jest/globals";
import type { PortRange } from "./objects.ts";
import { type FittingTier, rowOf } from "./row.ts";

const tcp = (first: number, last = first): PortRange => ({ protocol: "tcp", first, last });
const network = (...ports: PortRange[][]): FittingTier => ({
  isolates: true,
  rules: ports.map((each) => ({ action: "accept", ports: each })),
});

const ROWS: [name: string, tiers: FittingTier[], text: string][] = [
  ["nobody says anything", [], "accept"],
  ["nothing is accepted", [network()], "deny"],
  [
    "some ports are",
    [network([tcp(80)], [tcp(443), { protocol: "udp", first: 53, last: 53 }])],
    "deny, tcp 80-80, tcp 443-443, udp 53-53",
  ],
  ["ranges that meet are one", [network([tcp(80, 89)], [tcp(85, 99)], [tcp(100)])], "deny, tcp 80-100"],
  ["all ports of a protocol", [network([tcp(0, 65_535)])], "deny, tcp 0-65535"],
  [
    "the first rule that fits decides, and pass asks the next tier",
    [
      {
        isolates: false,
        rules: [
          { action: "deny", ports: [tcp(81)] },
          { action: "pass", ports: [tcp(80)] },
          { action: "deny", ports: [tcp(79, 90)] },
          { action: "accept" },
        ],
      },
      network([tcp(443)]),
    ],
    "accept, tcp 79-90",
  ],
  [
    "what passes is accepted where the next tier says nothing",
    [{ isolates: false, rules: [{ action: "pass", ports: [tcp(80)] }, { action: "deny" }] }],
    "deny, tcp 80-80",
  ],
];
test.each(ROWS)("%s", (_name, tiers, text) => expect(rowOf(tiers).text).toBe(text));
