import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import type { WholeQuestion } from "#lib/echo/whole.ts";
import { probeMtus } from "./mtu-probe.ts";
import type { Peer } from "./peers.ts";

const way = (of: ChosenWay["way"], mtuBytes: number) => ({ way: of, mtuBytes }) as ChosenWay;
const peer = (name: string, tunnelAddresses: readonly Address[], ways: Peer["ways"]) =>
  ({
    record: { name, uid: `uid-${name}`, echoPort: 4_796, addresses: [address("192.0.2.2")], tunnelAddresses },
    ways,
  }) as unknown as Peer;
const NONE = { reason: "no way" };

/** What passes by address, bytes. */
const LIMIT: Readonly<Record<string, number>> = { "10.66.2.1": 1450, "fd00:66:2::1": 1400, "192.0.2.2": 9000 };

test("the end of a tunnel within WireGuard is not asked: what goes there does not take the tunnel", async () => {
  const to = address("10.66.2.1");
  const within = { ...way("vxlan", 1390), encrypted: true, to };
  const asked: string[] = [];
  await probeMtus({
    peers: [peer("far", [to, address("fd00:66:2::1")], { 4: within, 6: within })],
    ask: async ({ address }) => {
      asked.push(address);
      return "passes";
    },
    patienceMs: 5,
  });
  expect(new Set(asked)).toEqual(new Set(["fd00:66:2::1"]));
});

test("each way is asked for its largest packet and for one byte more", async () => {
  const asked: WholeQuestion[] = [];
  const findings = await probeMtus({
    peers: [
      peer("near", [], { 4: way("direct", 1500), 6: NONE }),
      peer("far", [address("10.66.2.1"), address("fd00:66:2::1")], { 4: way("vxlan", 1450), 6: way("vxlan", 1450) }),
      peer("new", [], { 4: way("vxlan", 1450), 6: NONE }),
    ],
    ask: async (question) => {
      asked.push(question);
      return question.packetBytes <= (LIMIT[question.address] ?? 0) ? "passes" : "too-large";
    },
    patienceMs: 5,
  });
  expect(findings).toEqual([
    { peer: "far", family: 4, mtu: 1450, largest: "passes", larger: "too-large", isRight: true },
    { peer: "far", family: 6, mtu: 1450, largest: "too-large", larger: "too-large", isRight: false },
    { peer: "near", family: 4, mtu: 1500, largest: "passes", larger: "passes", isRight: false },
  ]);
  expect(asked).toHaveLength(6);
  expect(asked[0]).toEqual({
    address: "192.0.2.2",
    port: 4_796,
    uid: "uid-near",
    patienceMs: 5,
    packetBytes: 1500,
  });
});
