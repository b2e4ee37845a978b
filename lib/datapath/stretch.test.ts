import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { distantFacts, stretchChains, stretchFacts, stretchLink } from "./stretch.ts";

const LAN = { network: "lan", bridge: "br9", vni: 72 };
const PORT = { port: 4_789, mtu: 1_450 };
const MAC = mac("0e:00:00:00:00:05");
const here = {
  addresses: [address("192.0.2.1")],
  tunnelAddresses: [address("10.66.0.1"), address("fd00::1")],
  encrypt: false,
};
const lines = (facts: readonly Fact[]) => facts.map((fact) => line({ do: "add", fact }).slice(2));

test("the tunnel ends in a quiet port of the bridge", () => {
  expect(stretchFacts(here, LAN, PORT)).toEqual([
    {
      type: "link",
      at: "host",
      name: stretchLink("lan", 4),
      kind: "vxlan",
      up: true,
      mtu: 1_450,
      alias: "selvedge stretch lan",
      vxlan: { id: 72, port: 4_789, local: "192.0.2.1" },
      master: "br9",
      quiet: true,
      noIpv6LinkLocal: true,
    },
  ]);
  expect(stretchLink("lan", 4)).toMatch(/^sx[0-9a-f]{11}$/);
});

test("where it travels in WireGuard its ends are the nodes' addresses among pods", () =>
  expect(
    stretchFacts({ ...here, encrypt: true }, LAN, PORT).map((fact) => fact.type === "link" && fact.vxlan?.local),
  ).toEqual(["10.66.0.1", "fd00::1"]));

test("somebody on another node is behind the tunnel, and known to the bridge by its addresses", () => {
  const sx = stretchLink("lan", 4);
  const addresses = [address("10.9.0.5"), address("fd09::5")];
  const to = address("192.0.2.2");
  expect(lines(distantFacts(LAN, { mac: MAC, hasMac: true, addresses, to, underlay: 4 }))).toEqual([
    `fdb 0e:00:00:00:00:05 dev ${sx} dst 192.0.2.2`,
    `fdb 0e:00:00:00:00:05 dev ${sx} master`,
    "neigh 10.9.0.5 lladdr 0e:00:00:00:00:05 dev br9 permanent",
    "neigh fd09::5 lladdr 0e:00:00:00:00:05 dev br9 permanent",
  ]);
  expect(distantFacts(LAN, { mac: MAC, hasMac: false, addresses: [], to, underlay: 4 })).toEqual([]);
});

test("frames of others are dropped, and without a segment there is no chain", () => {
  expect(stretchChains([], 4_789, false)).toEqual([]);
  const [chain] = stretchChains([LAN], 4_789, false);
  expect(chain?.rules).toHaveLength(4);
  expect(chain?.called?.when).toBe("udp dport 4789 @th,96,24 { 72 }");
  expect(chain?.rules[0]).toBe("ip saddr != @nodes4 fib daddr type != unicast counter drop");
});
