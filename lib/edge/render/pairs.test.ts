import { prefix } from "#lib/address.ts";
import { goldens } from "../../../test/support/vyos/golden.ts";

goldens([
  [
    "one of a pair on two networks, one of them of both families, that lets the other be",
    {
      pair: {
        name: "gate",
        isPreferred: false,
        preempt: false,
        advertiseSeconds: 2,
        networks: [
          {
            interface: "eth1",
            vrid: 10,
            addresses: [prefix("192.0.2.254/24"), prefix("2001:db8:1::254/64")],
          },
          { interface: "eth2.7", vrid: 20, addresses: [prefix("198.51.100.254/24")] },
        ],
      },
    },
    [
      ...[
        ["SELVEDGE-gate-eth1-4", "eth1", "10", "192.0.2.254/24"],
        ["SELVEDGE-gate-eth1-6", "eth1", "10", "2001:db8:1::254/64"],
        ["SELVEDGE-gate-eth2-7-4", "eth2.7", "20", "198.51.100.254/24"],
      ].flatMap(([group, link, vrid, virtual]) =>
        [
          `interface ${link}`,
          `vrid ${vrid}`,
          "priority 100",
          "advertise-interval 2",
          "no-preempt",
          `address ${virtual}`,
        ].map((line) => `high-availability vrrp group ${group} ${line}`),
      ),
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth1-4",
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth1-6",
      "high-availability vrrp sync-group SELVEDGE-gate member SELVEDGE-gate-eth2-7-4",
    ],
  ],
  [
    "the preferred of a pair on one network",
    {
      pair: {
        name: "gate",
        isPreferred: true,
        preempt: true,
        advertiseSeconds: 1,
        networks: [{ interface: "eth1", vrid: 10, addresses: [prefix("192.0.2.254/24")] }],
      },
    },
    ["interface eth1", "vrid 10", "priority 200", "advertise-interval 1", "address 192.0.2.254/24"].map(
      (line) => `high-availability vrrp group SELVEDGE-gate-eth1-4 ${line}`,
    ),
  ],
]);
