import { address, prefix } from "#lib/address.ts";
import { goldens } from "../../../test/support/vyos/golden.ts";

/** 32 bytes. */
const KEY = Buffer.alloc(32, 7).toString("base64");

goldens([
  [
    "another cluster by WireGuard, and by IPsec when that is down",
    {
      sites: [
        {
          name: "west",
          interface: "wg10",
          addresses: [prefix("10.255.0.1/30")],
          networks: [prefix("10.70.0.0/16")],
          distance: 10,
          wireguard: {
            privateKey: KEY,
            port: 51_820,
            publicKey: KEY,
            endpoint: { address: address("198.51.100.1"), port: 51_820 },
            keepaliveSeconds: 15,
          },
        },
        {
          name: "west-2",
          interface: "vti11",
          addresses: [prefix("10.255.0.5/30")],
          networks: [prefix("10.70.0.0/16")],
          distance: 20,
          ipsec: { local: address("198.51.100.9"), remote: address("198.51.100.2"), secret: "s3cret" },
        },
      ],
    },
    [
      "interfaces wireguard wg10 address 10.255.0.1/30",
      "interfaces wireguard wg10 private-key '(secret af2a2ea4a1de)'",
      "interfaces wireguard wg10 port 51820",
      `interfaces wireguard wg10 peer west public-key ${KEY}`,
      "interfaces wireguard wg10 peer west address 198.51.100.1",
      "interfaces wireguard wg10 peer west port 51820",
      "interfaces wireguard wg10 peer west persistent-keepalive 15",
      "interfaces wireguard wg10 peer west allowed-ips 10.70.0.0/16",
      "interfaces vti vti11 address 10.255.0.5/30",
      "vpn ipsec authentication psk selvedge-west-2 id 198.51.100.9",
      "vpn ipsec authentication psk selvedge-west-2 id 198.51.100.2",
      "vpn ipsec authentication psk selvedge-west-2 secret '(secret 3040f9a92dbf)'",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication mode pre-shared-secret",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication local-id 198.51.100.9",
      "vpn ipsec site-to-site peer selvedge-west-2 authentication remote-id 198.51.100.2",
      "vpn ipsec site-to-site peer selvedge-west-2 connection-type initiate",
      "vpn ipsec site-to-site peer selvedge-west-2 ike-group SELVEDGE",
      "vpn ipsec site-to-site peer selvedge-west-2 local-address 198.51.100.9",
      "vpn ipsec site-to-site peer selvedge-west-2 remote-address 198.51.100.2",
      "vpn ipsec site-to-site peer selvedge-west-2 vti bind vti11",
      "vpn ipsec site-to-site peer selvedge-west-2 vti esp-group SELVEDGE",
      "vpn ipsec ike-group SELVEDGE key-exchange ikev2",
      "vpn ipsec ike-group SELVEDGE proposal 1 encryption aes256gcm128",
      "vpn ipsec ike-group SELVEDGE proposal 1 hash sha256",
      "vpn ipsec ike-group SELVEDGE proposal 1 dh-group 15",
      "vpn ipsec ike-group SELVEDGE proposal 1 prf prfsha256",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection action restart",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection interval 10",
      "vpn ipsec ike-group SELVEDGE dead-peer-detection timeout 30",
      "vpn ipsec esp-group SELVEDGE proposal 1 encryption aes256gcm128",
      "vpn ipsec esp-group SELVEDGE proposal 1 hash sha256",
      "protocols static route 10.70.0.0/16 interface wg10 distance 10",
      "protocols static route 10.70.0.0/16 interface vti11 distance 20",
    ],
  ],
]);
