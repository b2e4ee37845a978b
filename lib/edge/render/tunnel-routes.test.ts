import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { piecesOf } from "../../../test/support/vyos/golden.ts";
import { lineOf } from "../path.ts";
import { overlapping } from "../piece.ts";
import { sampleRouter } from "../sample-router.ts";
import { tunnelRoutes } from "./tunnel-routes.ts";

const far = prefix("10.9.0.0/16");
const gre = (key: number) => ({ local: address("192.0.2.251"), remote: address("192.0.2.99"), key });
const leg = (key: number, vrf?: string) => ({
  name: `far-${key}`,
  interface: `tun${key}`,
  addresses: [],
  networks: [far],
  gre: gre(key),
  ...(vrf === undefined ? {} : { vrf }),
});

test("what several tunnels lead to is one piece in each table", () => {
  const site = {
    name: "west",
    interface: "vti10",
    addresses: [],
    networks: [far, far],
    distance: 20,
    ipsec: { local: address("192.0.2.251"), remote: address("198.51.100.1"), secret: "between us" },
  };
  const spec = { sites: [site], legs: [leg(10, "GREEN"), leg(11, "GREEN"), leg(12)] };
  expect(tunnelRoutes(sampleRouter(spec)).map(({ paths }) => paths.map(lineOf))).toEqual([
    [
      "protocols static route 10.9.0.0/16 interface vti10 distance 20",
      "protocols static route 10.9.0.0/16 interface tun12",
    ],
    [
      "vrf name GREEN protocols static route 10.9.0.0/16 interface tun10",
      "vrf name GREEN protocols static route 10.9.0.0/16 interface tun11",
    ],
  ]);
  expect(overlapping(piecesOf(spec))).toBeUndefined();
});
