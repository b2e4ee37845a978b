/** The part of the configuration's shape that is about tenants. */
import { z } from "zod";
import { type Address, address, bitsOf, family, lengthOf, type Prefix, prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import {
  absolutePath,
  cidrs,
  dns,
  flag,
  integer,
  ip,
  link,
  listOf,
  name,
  ofFile,
  oneOf,
  read,
  type Structure,
  setting,
} from "./leaves.ts";

/** An address and a port. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** The longest is `[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535`. */
export const endpointStructure: Structure = {
  type: "string",
  maxLength: 53,
  pattern: "^(\\[[0-9A-Fa-f:.]+\\]|[0-9.]+):[0-9]{1,5}$",
};

/** @throws SelvedgeError config-invalid */
export function endpointOf(value: unknown): Endpoint {
  const [, six, four, digits] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(typeof value === "string" ? value : "") ?? [];
  const port = Number(digits);
  return { address: address(port >= 1 && port <= 65_535 ? (six ?? four) : undefined), port };
}

/** RFC 7348; the port is that of section 5. */
export const encapsulation = z.strictObject(
  {
    type: setting(oneOf("vxlan"), "How frames travel between nodes."),
    vni: setting(integer(1, 16_777_215), "VXLAN network identifier, the same on all nodes of the network."),
    port: setting(integer(1, 65_535).default(4_789), "UDP port."),
    peers: setting(listOf(ip, "a list of addresses"), "Addresses of the other nodes."),
    parent: setting(link.optional(), "Link of this node that leads to the others.", "that of the default route"),
    local: setting(ip.optional(), "Address of this node that is used.", "chosen by the node's routes"),
  },
  { error: "an object such as {type: vxlan, vni: 100, peers: [192.0.2.2]}" },
);

/** The UDP port is that of `cluster.vxlan`. */
export const stretch = z.strictObject(
  { vni: setting(integer(1, 16_777_215), "VXLAN network identifier, the same on all nodes, and no other network's.") },
  { error: "an object such as {vni: 100}" },
);

const endpoint = read(
  'an address and a port such as "192.0.2.5:53" or "[2001:db8::5]:53"',
  endpointOf,
  endpointStructure,
);
const service = z.strictObject(
  {
    name: setting(name, "For people."),
    address: setting(ip, "Address by which the tenant's pods reach it."),
    port: setting(integer(1, 65_535), "Port by which they reach it."),
    protocol: setting(oneOf("tcp", "udp", "sctp").default("tcp"), "Transport protocol."),
    to: setting(endpoint, "The server, as the node reaches it: `address:port`."),
  },
  { error: 'an object such as {name: dns, address: 10.0.0.53, port: 53, protocol: udp, to: "192.0.2.5:53"}' },
);

/** A tenant that all others share has as many. */
const MOST_PEERS = 1_024;
const peers = listOf(name, "a list of tenants").meta({
  structure: { maxItems: MOST_PEERS, "x-kubernetes-list-type": "set" },
});

export const tenant = z.strictObject(
  {
    name: ofFile(setting(name, "What `networks[].tenant` names.")),
    egress: setting(
      flag.default(true),
      "Its pods reach what the node reaches, under the node's address. Without it: its own networks, its peers and `services`.",
    ),
    peers: setting(
      peers.default([]),
      "Tenants whose pods reach this one's and are reached by them, when they name it too.",
    ),
    services: setting(
      listOf(service, "a list of services").default([]),
      "Servers outside that the tenant reaches by an address of its own.",
    ),
    dns: setting(dns.default({}), "`dns` of the CNI result, for networks that say nothing of their own."),
  },
  { error: "an object such as {name: blue}" },
);

/** Link-local addresses of RFC 3927 that the attachment types leave alone, and unique local ones of RFC 4193. */
export const ROUTER_DEFAULTS = {
  transferRanges: ["169.254.16.0/20", "fd42:5e1f:ed9d::/112"] as Prefix[],
  probeRanges: ["169.254.128.0/17", "fd42:5e1f:ed9d:1::/64"] as Prefix[],
} as const;

/** RFC 3021 for IPv4, RFC 6164 for IPv6: two addresses at least. */
const ofPairs = read('a prefix of at least two addresses such as "169.254.16.0/20"', (value) => {
  const found = prefix(value);
  if (lengthOf(found) === bitsOf(family(found)))
    throw new SelvedgeError({ kind: "config-invalid", field: "prefix" }, `${found} is one address`);
  return found;
});

export const routers = {
  dir: setting(
    absolutePath.default("/run/selvedge/tenants"),
    "Where tenants' routers are mounted, as `selvedge-` and the tenant's name; with /run/netns, `ip netns` finds them.",
  ),
  transferRanges: setting(
    listOf(ofPairs, "a list of prefixes").default(ROUTER_DEFAULTS.transferRanges),
    "Addresses between the node and tenants' routers, at most one range of each family; used on the node alone.",
  ),
  probeRanges: setting(
    cidrs.default(ROUTER_DEFAULTS.probeRanges),
    "Addresses by which the node reaches tenants' pods, at most one range of each family; used on the node alone.",
  ),
};
