import { expect, test } from "@jest/globals";
import { type Line, pathOf } from "./path.ts";
import { stageOf } from "./stages.ts";

/** Each refers to the one before it. */
test.each<[string, ...string[]]>([
  ["vrf name BLUE table", "interfaces vxlan vxlan100", "vrf name BLUE protocols static route 10.0.0.0/26"],
  ["vrf name BLUE", "interfaces vxlan vxlan100", "protocols static route 10.0.0.0/26"],
  [
    "policy prefix-list SELVEDGE-IN",
    "policy route-map SELVEDGE-IN",
    "protocols bgp system-as",
    "protocols bgp peer-group SELVEDGE",
    "protocols bgp neighbor 192.0.2.11",
  ],
  ["policy route-map SELVEDGE-IN", "protocols bgp"],
  [
    "policy prefix-list6 SELVEDGE-IN",
    "vrf name BLUE protocols bgp system-as",
    "vrf name BLUE protocols bgp peer-group SELVEDGE",
    "vrf name BLUE protocols bgp listen range 192.0.2.0/24",
  ],
  ["firewall group network-group PODS", "firewall ipv4 name SELVEDGE", "firewall ipv4 forward filter rule 10"],
  ["qos policy shaper SELVEDGE-eth0", "qos interface eth0 egress"],
  ["load-balancing haproxy backend selvedge-web", "load-balancing haproxy service selvedge-web"],
  ["vpn ipsec ike-group SELVEDGE", "interfaces vti vti10", "vpn ipsec site-to-site peer selvedge-west"],
  ["high-availability vrrp group SELVEDGE-gate-eth1-4", "high-availability vrrp sync-group SELVEDGE-gate"],
])("%s and what stands on it", (...places) => {
  const stages = places.map((place) => stageOf(pathOf(place as Line)));
  expect(stages).toEqual([...new Set(stages)].toSorted((a, b) => a - b));
});
