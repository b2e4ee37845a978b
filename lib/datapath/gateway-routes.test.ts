import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { line } from "#lib/state/line.ts";
import { gatewayRoutes } from "./gateway-routes.ts";

const NETWORKS = [
  { link: "eth0", address: prefix("192.0.2.11/24") },
  { link: "eth0", address: prefix("2001:db8:1::11/64") },
  { link: "eth1", address: prefix("198.51.100.11/25") },
];

test.each<[gateway: string, routes: string[]]>([
  ["192.0.2.254", ["+ route 0.0.0.0/0 via 192.0.2.254 dev eth0 metric 50"]],
  ["2001:db8:1::254", ["+ route ::/0 via 2001:db8:1::254 dev eth0 metric 50"]],
  ["198.51.100.126", ["+ route 0.0.0.0/0 via 198.51.100.126 dev eth1 metric 50"]],
  // Of a network that the node is not on, and the node's own.
  ["198.51.100.254", []],
  ["192.0.2.11", []],
])("%s: %j", (gateway, routes) => {
  const found = gatewayRoutes([{ address: address(gateway), metric: 50 }], NETWORKS);
  expect(found.map((fact) => line({ do: "add", fact }))).toEqual(routes);
});
