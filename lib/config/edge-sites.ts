/** The part of a router's settings that is about tunnels to other clusters, and about shares of an interface. */
import { z } from "zod";
import { root } from "#lib/parse.ts";
import { DSCP_TEXT, dscp } from "#lib/qos.ts";
import { secretReference } from "./edge-secrets.ts";
import { plainName } from "./edge-services.ts";
import {
  asNumber,
  cidr,
  flag,
  hostAddress,
  integer,
  ip,
  listOf,
  matching,
  port,
  read,
  routerLink,
  setting,
  withTypeOfObject,
} from "./leaves.ts";
import { endpointOf, endpointStructure } from "./tenant-schema.ts";

/** 32 bytes in base64 (wg(8)). */
const publicKey = matching("a WireGuard key: 32 bytes in base64", /^[A-Za-z0-9+/]{43}=$/, 44);
const tunnel = matching("an interface such as wg10 or vti10", /^(wg|vti)[0-9]{1,5}$/, 8);
const endpoint = read('an address and a port such as "198.51.100.1:51820"', endpointOf, endpointStructure);

const wireguard = withTypeOfObject(
  z.strictObject(
    {
      privateKey: setting(secretReference, "Where the router's private key is."),
      port: setting(port.default(51_820), "UDP port of the router."),
      publicKey: setting(publicKey, "The other side's."),
      presharedKey: setting(secretReference.optional(), "Where a key is that both sides have.", "none"),
      endpoint: setting(endpoint.optional(), "Where the other side is: `address:port`.", "it calls"),
      keepaliveSeconds: setting(integer(1, 65_535).optional(), "How often something is sent through a NAT.", "not"),
    },
    { error: "an object such as {privateKey: {file: /etc/selvedge/wg.key}, publicKey: …}" },
  ),
  "an object such as {privateKey: {secret: {name: edge1, key: wg}}, publicKey: …}",
);

const ipsec = withTypeOfObject(
  z.strictObject(
    {
      local: setting(ip, "Address of the router, and what it is known by."),
      remote: setting(ip, "The same of the other side."),
      secret: setting(secretReference, "Where the secret is that both sides have."),
    },
    { error: "an object such as {local: 198.51.100.9, remote: 198.51.100.2, secret: {file: /etc/selvedge/west.psk}}" },
  ),
  "an object such as {local: 198.51.100.9, remote: 198.51.100.2, secret: {secret: {name: edge1, key: west}}}",
);

const bgp = z.strictObject(
  {
    as: setting(asNumber, "AS number of the router."),
    remoteAs: setting(asNumber, "That of the router there."),
    neighbour: setting(ip, "Address of the router there, within the tunnel."),
    bfd: setting(flag.default(true), "That the other end is gone is noticed within a second."),
    localPreference: setting(
      integer(0, 4_294_967_295).optional(),
      "Of two tunnels to one network the one with the larger is used while it works.",
      "VyOS's, 100",
    ),
  },
  { error: "an object such as {as: 65000, remoteAs: 65010, neighbour: 10.255.0.2}" },
);

export const site = z.strictObject(
  {
    name: setting(plainName, "For people; the peer of that name is the other side."),
    interface: setting(tunnel, "Interface of the tunnel: `wg` and a number, or `vti` and a number for IPsec."),
    addresses: setting(listOf(hostAddress, "a list of addresses").default([]), "Of the interface."),
    networks: setting(listOf(cidr, "a list of prefixes"), "What is reached there."),
    distance: setting(
      integer(1, 255).optional(),
      "Administrative distance: of two tunnels the smaller counts while its interface is up, which that of WireGuard always is.",
      "VyOS's, 1",
    ),
    bgp: setting(
      bgp.optional(),
      "BGP with the router there, instead of static routes: each tells the other its pools.",
    ),
    wireguard: setting(wireguard.optional(), "The tunnel, one of the two."),
    ipsec: setting(ipsec.optional(), "The tunnel: IKEv2, AES-256-GCM, a secret."),
  },
  { error: "an object such as {name: west, interface: wg10, networks: [10.70.0.0/16], wireguard: {…}}" },
);

export const shaper = z.strictObject(
  {
    interface: setting(routerLink, "What leaves by it."),
    rate: setting(integer(1_000, 1_000_000_000_000), "Bits per second of all."),
    classes: setting(
      listOf(
        z.strictObject(
          {
            dscp: setting(
              read(DSCP_TEXT, (value) => dscp(root(value)), { "x-kubernetes-int-or-string": true }),
              "Code point.",
            ),
            percent: setting(integer(1, 99), "Share that is assured; together fewer than 100."),
            priority: setting(integer(0, 20).optional(), "Who gets what is left first; 0 before 20."),
          },
          { error: "an object such as {dscp: EF, percent: 30}" },
        ),
        "a list of classes",
      ),
      "By code point.",
    ),
  },
  { error: "an object such as {interface: eth0, rate: 1000000000, classes: [{dscp: EF, percent: 30}]}" },
);
