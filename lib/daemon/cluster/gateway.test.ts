/** Random lives of gateways: no address is ever on two machines, and in calm weather each is on one. */
import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import type { EgressAddresses } from "#lib/config/egress.ts";
import { sequence } from "#lib/store/contract.ts";
import { type GatewayRig, gatewayRig, type Random } from "./gateway-rig.ts";

const EGRESS: readonly EgressAddresses[] = [
  {
    name: "billing",
    addresses: [address("192.0.2.200"), address("2001:db8::200")],
    pods: [{ namespace: "billing" }],
    nodes: ["*"],
    holdSeconds: 5,
    vni: 8_400_000,
  },
  {
    name: "mail",
    addresses: [address("192.0.2.201")],
    pods: [{ namespace: "mail" }],
    nodes: ["beta", "gamma"],
    holdSeconds: 5,
    vni: 8_400_001,
  },
];
const ADDRESSES: readonly Address[] = EGRESS.flatMap(({ addresses }) => addresses);
const NAMES = ["alpha", "beta", "gamma"];
const STEPS = 6_000;
const CALM_STEPS = 4_000;

/** Something that happens now and then. */
function meddle(rig: GatewayRig, random: Random): void {
  const machine = NAMES[random(NAMES.length)] ?? "";
  const chance = random(2_400);
  if (chance < 6) rig.cut(machine);
  else if (chance < 30) rig.heal(machine);
  else if (chance < 36) rig.kill(machine);
  else if (chance < 60) rig.start(machine);
  else if (chance < 66) rig.pause(machine);
  else if (chance < 90) rig.resume(machine);
  else if (chance < 92) rig.reboot(machine);
  else if (chance < 96) rig.relist(machine);
  else if (chance < 104) rig.silence(machine, random(12_000));
  else if (chance === 104) rig.erase(ADDRESSES[random(ADDRESSES.length)] ?? address("192.0.2.200"));
  else if (chance === 105) rig.restore();
}

const moves: number[] = [];
const seeds = Array.from({ length: 30 }, (_, i) => i + 1);

test.each(seeds)("seed %i", async (seed) => {
  const random = sequence(seed);
  const rig = gatewayRig(NAMES, EGRESS, random);
  for (const name of NAMES) rig.start(name);
  const taken = new Set<string>();
  const look = (step: number): void => {
    for (const each of ADDRESSES) {
      const holders = rig.holders(each);
      for (const name of holders) taken.add(`${each} ${name}`);
      if (holders.length > 1)
        throw new Error(`step ${step}: ${each} on ${holders.join(" and ")}\n${rig.lines.slice(-60).join("\n")}`);
    }
  };
  for (let step = 0; step < STEPS; step++) {
    meddle(rig, random);
    await rig.step();
    look(step);
  }
  for (const name of NAMES) {
    rig.heal(name);
    rig.resume(name);
    rig.start(name);
  }
  for (let step = 0; step < CALM_STEPS; step++) {
    await rig.step();
    look(STEPS + step);
  }
  for (const each of ADDRESSES) {
    expect(rig.holders(each)).toHaveLength(1);
    expect(rig.believers(each)).toEqual(rig.holders(each));
  }
  expect(rig.holders(address("192.0.2.201"))).not.toContain("alpha");
  moves.push(taken.size - ADDRESSES.length);
});

test("in these lives addresses have moved", () => {
  expect(moves.length).toBe(seeds.length);
  expect(moves.reduce((all, each) => all + each, 0)).toBeGreaterThan(seeds.length);
});
