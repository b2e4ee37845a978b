import { expect, test } from "@jest/globals";
import type { LinkFact } from "#lib/state/fact.ts";
import { lacks } from "./lacks.ts";

const link = (kind: LinkFact["kind"], more: Partial<LinkFact> = {}): LinkFact => ({
  type: "link",
  at: "pod",
  name: "eth0",
  kind,
  up: true,
  ...more,
});
const UNKNOWN = "Unknown device type";
const NO_TAP =
  "this kernel has no tap: load the module tun (CONFIG_TUN); in a container /dev/net/tun takes `privileged: true`";

const cases: [what: string, fact: LinkFact, code: number, text: string | undefined, message: string | undefined][] = [
  ["a kind", link("ipvlan"), 95, UNKNOWN, "this kernel has no ipvlan: load the module ipvlan (CONFIG_IPVLAN)"],
  ["its mode", link("ipvlan", { mode: "l3s" }), 524, undefined, "CONFIG_IPVLAN_L3S"],
  ["VLANs", link("vlan"), 95, UNKNOWN, "this kernel has no VLAN links: load the module 8021q (CONFIG_VLAN_8021Q)"],
  ["filtering", link("bridge", { vlanFiltering: true }), 95, undefined, "use a kernel built with CONFIG_BRIDGE_VLAN"],
  ["a filtering bridge's kind", link("bridge", { vlanFiltering: true }), 95, UNKNOWN, "this kernel has no bridges"],
  ["taps", link("tap"), 2, undefined, NO_TAP],
  ["taps for this container", link("tap"), 1, undefined, NO_TAP],
  ["nothing: a wrong value", link("macvlan"), 22, undefined, undefined],
  ["nothing: a parent that cannot", link("macvlan"), 95, "Device does not support it", undefined],
  ["nothing: a taken name", link("tap"), 16, undefined, undefined],
];

test.each(cases)("what is missing is named with its remedy: %s", (_, fact, code, text, message) => {
  const error = lacks(fact, { code, text });
  if (message === undefined) expect(error).toBeUndefined();
  else expect(error?.message).toContain(message);
});

test("the table has cases", () => expect(cases.length).toBe(10));
