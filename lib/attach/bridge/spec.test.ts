import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import { parse } from "./spec.ts";

test("nothing given", () =>
  expect(parse(root({}))).toEqual({
    bridge: "selvedge0",
    isGateway: false,
    isDefaultGateway: false,
    hairpin: false,
    promiscuous: false,
    disabled: false,
    trunk: [],
    preserveDefaultVlan: false,
  }));

test("everything given, whatever its case, and what says nothing is taken", () =>
  expect(
    parse(
      root({
        BRIDGE: "cni0",
        isDefaultGateway: true,
        hairpinMode: true,
        promiscMode: false,
        macspoofchk: true,
        enabledad: true,
        forceAddress: true,
        vlan: 0,
        vlanTrunk: [],
        preserveDefaultVlan: true,
      }),
    ),
  ).toEqual({
    bridge: "cni0",
    isGateway: true,
    isDefaultGateway: true,
    hairpin: true,
    promiscuous: false,
    spoofProtection: true,
    disabled: false,
    trunk: [],
    preserveDefaultVlan: true,
  }));

const vlans: [config: object, vlan: number | undefined, trunk: number[]][] = [
  [{ vlan: 0, vlanTrunk: [] }, undefined, []],
  [{ vlan: 100 }, 100, []],
  [{ vlanTrunk: [{ minID: 7, maxID: 9 }, { id: 5 }, { id: 8 }] }, 1, [5, 7, 8, 9]],
  [{ vlan: 5, vlanTrunk: [{ minID: 4, maxID: 6 }] }, 5, [4, 6]],
];
test.each(vlans)("VLANs of %j", (config, vlan, trunk) => {
  const spec = parse(root(config));
  expect([spec.vlan, spec.trunk]).toEqual([vlan, trunk]);
});

const refused: [config: object, kind: "config-invalid" | "unsupported-field", message: string][] = [
  [{ bridge: "a/b" }, "config-invalid", 'bridge: "a/b" is not a link name: 1 to 15 bytes without /, : or white space'],
  [{ isGateway: 1 }, "config-invalid", "isGateway: 1 is not true or false"],
  [{ enabledad: "yes" }, "config-invalid", 'enabledad: "yes" is not true or false'],
  [
    { hairpinMode: true, promiscMode: true },
    "config-invalid",
    "promiscMode: true is not possible together with hairpinMode: set one of the two",
  ],
  [
    { disableContainerInterface: true, ipam: { type: "host-local" } },
    "config-invalid",
    "disableContainerInterface: true is not possible together with ipam: a link that stays down has no address",
  ],
  [{ vlan: 4_095 }, "config-invalid", "vlan: 4095 is not a whole number from 0 to 4094"],
  [{ vlanTrunk: [{ id: 0 }] }, "config-invalid", "vlanTrunk[0].id: 0 is not a whole number from 1 to 4094"],
  [{ vlanTrunk: [{}] }, "config-invalid", "vlanTrunk[0]: {} is not a VLAN such as {id: 5} or {minID: 100, maxID: 200}"],
  [
    { vlanTrunk: [{ minID: 5 }] },
    "config-invalid",
    "vlanTrunk[0].maxID: is missing; it must be given where the other end of the range is",
  ],
  [{ vlanTrunk: [{ minID: 5, maxID: 4 }] }, "config-invalid", "vlanTrunk[0].maxID: 4 is not at least minID, 5"],
  [
    { bridge: "twelve-bytes", vlan: 100, isGateway: true },
    "config-invalid",
    'bridge: "twelve-bytes" is not short enough for a gateway in VLAN 100: with it, 15 bytes in all',
  ],
];
test.each(refused)("%j is refused", (config, kind, message) => {
  let thrown: unknown;
  try {
    parse(root(config));
  } catch (error) {
    thrown = error;
  }
  expect(isFailure(thrown, kind)).toBe(true);
  expect(String(thrown)).toBe(`SelvedgeError: ${message}`);
});
test("the table has cases", () => expect(refused.length).toBeGreaterThan(5));
