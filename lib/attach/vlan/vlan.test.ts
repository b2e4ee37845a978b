import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { ipv4Only, lines, uplink } from "../../../test/attach/sample.ts";
import { vlan } from "./vlan.ts";

const pod = { ...ipv4Only, mac: uplink.mac, carrier: uplink };
const build = (config: unknown) => vlan.desired(vlan.parse(root(config)), pod);

test("a tag", () => {
  const built = build({ master: "uplink", vlanId: 100 });
  expect(built.shared).toEqual([]);
  expect(lines(built.facts)).toEqual([
    "+ link eth0 [pod] vlan up parent uplink id 100 mtu 1450 mac 02:00:00:00:00:aa",
    "+ addr 10.1.0.5/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
  ]);
  expect(built.facts[0]).toMatchObject({ vlan: { id: 100, protocol: "802.1Q" } });
});

test("a tag within a tag: the node has the outer one", () => {
  const built = build({ master: "uplink", vlanId: 100, outerVlanId: 7 });
  expect(lines(built.shared)).toEqual(["+ link so18c6f49a8b5 vlan up parent uplink id 7 no-ipv6-link-local"]);
  expect(built.shared[0]).toMatchObject({ vlan: { id: 7, protocol: "802.1ad" }, alias: "selvedge vlan uplink 7" });
  expect(built.facts[0]).toMatchObject({ parent: { at: "host", name: "so18c6f49a8b5" }, vlan: { id: 100 } });
});

test("the MAC is the parent's unless another is asked for", () =>
  expect(vlan.mac?.(vlan.parse(root({ vlanId: 1 })), uplink)).toBe("02:00:00:00:00:aa"));

const refused: [config: object, message: string][] = [
  [{}, "vlanId: is missing; it must be a whole number from 1 to 4094"],
  [{ vlanId: 4_095 }, "vlanId: 4095 is not a whole number from 1 to 4094"],
  [{ vlanId: 1, vlanProtocol: "802.1x" }, 'vlanProtocol: "802.1x" is not one of "802.1Q", "802.1ad"'],
  [{ vlanId: 1, outerVlanId: 0 }, "outerVlanId: 0 is not a whole number from 1 to 4094"],
  [
    { vlanId: 1, outerVlanId: 2, master: "net1", linkInContainer: true },
    "outerVlanId: 2 is not possible together with linkInContainer: the outer VLAN is a link of the node",
  ],
];
test.each(refused)("%j is refused", (config, message) => expect(() => vlan.parse(root(config))).toThrow(message));
test("the table has cases", () => expect(refused.length).toBeGreaterThan(4));
