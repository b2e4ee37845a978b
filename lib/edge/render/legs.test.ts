import { address, prefix } from "#lib/address.ts";
import { goldens } from "../../../test/support/vyos/golden.ts";

goldens([
  [
    "a VXLAN to all nodes, in a VRF of ours; another to one that is named",
    {
      vrfs: [{ name: "BLUE", table: 1_002 }],
      legs: [
        {
          name: "blue",
          interface: "vxlan100",
          addresses: [prefix("10.0.255.254/16")],
          vrf: "BLUE",
          networks: [],
          vxlan: { vni: 100, port: 4_789, local: address("192.0.2.251"), remotes: [] },
        },
        {
          name: "blue-6",
          interface: "vxlan101",
          addresses: [],
          mtu: 1_280,
          networks: [],
          vxlan: { vni: 101, port: 8_472, local: address("2001:db8::fb"), remotes: [address("2001:db8::99")] },
        },
      ],
    },
    [
      "vrf name BLUE table 1002",
      ...[
        "description 'selvedge blue'",
        "address 10.0.255.254/16",
        "mtu 1450",
        "vni 100",
        "port 4789",
        "source-address 192.0.2.251",
        "remote 192.0.2.11",
        "remote 192.0.2.12",
        "remote 192.0.2.13",
        "vrf BLUE",
      ].map((line) => `interfaces vxlan vxlan100 ${line}`),
      ...[
        "description 'selvedge blue-6'",
        "mtu 1280",
        "vni 101",
        "port 8472",
        "source-address 2001:db8::fb",
        "remote 2001:db8::99",
      ].map((line) => `interfaces vxlan vxlan101 ${line}`),
    ],
  ],
  [
    "a tenant's networks, that a VRF of its own leads to, in another and in the router's own table",
    {
      vrfs: [{ name: "BLUE", leaks: ["default", "SHARED"] }],
      legs: [
        {
          name: "blue",
          interface: "tun10",
          addresses: [prefix("10.255.1.1/30")],
          vrf: "BLUE",
          networks: [prefix("10.9.0.0/16")],
          gre: { local: address("192.0.2.251"), remote: address("192.0.2.99") },
        },
      ],
    },
    [
      ...[
        "description 'selvedge blue'",
        "address 10.255.1.1/30",
        "encapsulation gre",
        "source-address 192.0.2.251",
        "remote 192.0.2.99",
        "vrf BLUE",
      ].map((line) => `interfaces tunnel tun10 ${line}`),
      "vrf name BLUE protocols static route 10.9.0.0/16 interface tun10",
      "protocols static route 10.255.1.0/30 interface tun10 vrf BLUE",
      "protocols static route 10.9.0.0/16 interface tun10 vrf BLUE",
      "vrf name SHARED protocols static route 10.255.1.0/30 interface tun10 vrf BLUE",
      "vrf name SHARED protocols static route 10.9.0.0/16 interface tun10 vrf BLUE",
    ],
  ],
  [
    "a GRE in a VRF of the operator's, with what is behind it; one between addresses of IPv6",
    {
      legs: [
        {
          name: "green",
          interface: "tun10",
          addresses: [prefix("10.255.1.1/30")],
          vrf: "GREEN",
          mtu: 1_400,
          networks: [prefix("10.9.0.0/16"), prefix("fd09::/48")],
          gre: { local: address("192.0.2.251"), remote: address("192.0.2.99"), key: 7 },
        },
        {
          name: "grey",
          interface: "tun11",
          addresses: [],
          networks: [],
          gre: { local: address("2001:db8::fb"), remote: address("2001:db8::99") },
        },
      ],
    },
    [
      ...[
        "description 'selvedge green'",
        "address 10.255.1.1/30",
        "encapsulation gre",
        "source-address 192.0.2.251",
        "remote 192.0.2.99",
        "mtu 1400",
        "parameters ip key 7",
        "vrf GREEN",
      ].map((line) => `interfaces tunnel tun10 ${line}`),
      ...[
        "description 'selvedge grey'",
        "encapsulation ip6gre",
        "source-address 2001:db8::fb",
        "remote 2001:db8::99",
      ].map((line) => `interfaces tunnel tun11 ${line}`),
      "vrf name GREEN protocols static route 10.9.0.0/16 interface tun10",
      "vrf name GREEN protocols static route6 fd09::/48 interface tun10",
    ],
  ],
]);
