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
  }));

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
  [{ vlan: 100 }, "unsupported-field", 'vlan: 100 is not supported: the attachment type "bridge" knows no VLANs'],
  [
    { vlanTrunk: [{ id: 5 }] },
    "unsupported-field",
    'vlanTrunk: [{"id":5}] is not supported: the attachment type "bridge" knows no VLANs',
  ],
  [
    { preserveDefaultVlan: false },
    "unsupported-field",
    'preserveDefaultVlan: false is not supported: the attachment type "bridge" knows no VLANs',
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
