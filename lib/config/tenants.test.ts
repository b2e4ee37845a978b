import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { unplaced } from "./refusal.ts";

const TWO = `
pools:
  - {name: default, ranges: [[{subnet: 10.66.0.0/16}]]}
  - {name: blue, ranges: [[{subnet: 10.0.0.0/16}], [{subnet: "fd00::/64"}]]}
  - {name: green, ranges: [[{subnet: 10.0.0.0/16}]]}
`;

test("tenants may have the same addresses; what a network of theirs leaves out comes from the tenant", () => {
  const { tenants, networks, routers } = parseConfig(`${TWO}
tenants:
  - name: blue
    dns: {nameservers: [10.9.9.9]}
    services: [{name: dns, address: 10.9.9.9, port: 53, protocol: udp, to: "192.0.2.5:5353"}]
  - {name: green, egress: false, peers: [blue]}
networks:
  - {name: b, tenant: blue, pool: blue, reportProbeAddress: true, dns: {domain: b.example}}
  - {name: g, tenant: green, pool: green, attachment: bridge, encapsulation: {type: vxlan, vni: 7, peers: [192.0.2.2]}}
`);
  expect([...tenants.values()]).toEqual([
    {
      name: "blue",
      egress: true,
      peers: [],
      services: [
        { name: "dns", address: "10.9.9.9", port: 53, protocol: "udp", to: { address: "192.0.2.5", port: 5353 } },
      ],
    },
    { name: "green", egress: false, peers: ["blue"], services: [] },
  ]);
  expect(networks.get("b")).toMatchObject({
    tenant: "blue",
    reportProbeAddress: true,
    dns: { nameservers: ["10.9.9.9"], domain: "b.example" },
  });
  expect(networks.get("g")?.encapsulation).toEqual({ type: "vxlan", vni: 7, port: 4789, peers: ["192.0.2.2"] });
  expect(routers).toEqual({
    dir: "/run/selvedge/tenants",
    transferRanges: ["169.254.16.0/20", "fd42:5e1f:ed9d::/112"],
    probeRanges: ["169.254.128.0/17", "fd42:5e1f:ed9d:1::/64"],
  });
});

const service = (more: string) =>
  `${TWO}\ntenants: [{name: blue, services: [{name: s, port: 53, ${more}}]}]\nnetworks: [{name: b, tenant: blue, pool: blue}]`;
const segment = (encapsulation: string, more = "") =>
  `tenants: [{name: a}]\nnetworks: [{name: n, tenant: a, attachment: bridge, encapsulation: {type: vxlan, ${encapsulation}}}]\n${more}`;
const mistakes: [what: string, text: string, complaint: string][] = [
  [
    "an unknown tenant",
    "tenants: [{name: blue}]\nnetworks: [{name: b, tenant: blau}]",
    'networks[0].tenant: there is no tenant "blau"; known: blue',
  ],
  ["a tenant named twice", "tenants: [{name: a}, {name: a}]", 'tenants[1].name: "a" is the name of another one, too'],
  [
    "a type that passes no router",
    "tenants: [{name: a}]\nnetworks: [{name: n, tenant: a, attachment: macvlan}]",
    'networks[0].tenant: "a" is not possible with attachment "macvlan", whose packets pass no router; types that have it: ptp, bridge, tap',
  ],
  [
    "a probe address without a tenant",
    "networks: [{name: n, reportProbeAddress: true}]",
    "networks[0].reportProbeAddress: is possible on a tenant's network only; give it a `tenant`",
  ],
  [
    "a segment that is no bridge",
    "tenants: [{name: a}]\nnetworks: [{name: n, tenant: a, encapsulation: {type: vxlan, vni: 1, peers: []}}]",
    'networks[0].encapsulation: needs attachment "bridge", not "ptp"',
  ],
  [
    "a VLAN in a segment",
    "tenants: [{name: a}]\nnetworks: [{name: n, tenant: a, attachment: bridge, vlan: 7, encapsulation: {type: vxlan, vni: 1, peers: []}}]",
    "networks[0].vlan: 7 is not possible together with encapsulation, whose frames have no VLAN; give each VLAN a network and a vni of its own",
  ],
  [
    "a trunk in a segment",
    "tenants: [{name: a}]\nnetworks: [{name: n, tenant: a, attachment: bridge, options: {vlanTrunk: [{id: 5}]}, encapsulation: {type: vxlan, vni: 1, peers: []}}]",
    'networks[0].options.vlanTrunk: [{"id":5}] is not possible together with encapsulation, whose frames have no VLAN; give each VLAN a network and a vni of its own',
  ],
  [
    "a VNI of two networks",
    "tenants: [{name: a}]\ndefaults: {attachment: bridge}\nnetworks: [{name: n, tenant: a, encapsulation: {type: vxlan, vni: 1, peers: []}}, {name: m, tenant: a, encapsulation: {type: vxlan, vni: 1, peers: []}}]",
    'networks[1].encapsulation.vni: 1 is that of network "n" already',
  ],
  [
    "the cluster's VNI",
    segment("vni: 4096, peers: []", "cluster: {store: {etcd: {endpoints: [http://a]}}}"),
    "networks[0].encapsulation.vni: 4096 is that of the cluster already",
  ],
  [
    "peers of both families",
    segment('vni: 1, peers: [192.0.2.2, "fd00::2"]'),
    "networks[0].encapsulation.peers[1]: fd00::2 and 192.0.2.2 are of different families; a segment's outer packets are of one",
  ],
  [
    "an address of the other family than the peers'",
    segment('vni: 1, peers: ["fd00::2"], local: 192.0.2.1'),
    "networks[0].encapsulation.local: 192.0.2.1 and fd00::2 are of different families; a segment's outer packets are of one",
  ],
  [
    "a segment that is to be encrypted",
    segment("vni: 1, peers: []", "cluster: {encrypt: true, store: {etcd: {endpoints: [http://a]}}}"),
    "networks[0].encapsulation: is not possible together with cluster.encrypt: its packets travel outside of WireGuard, unencrypted",
  ],
  [
    "a segment beside the way wireguard",
    segment("vni: 1, peers: []", "cluster: {way: wireguard, store: {etcd: {endpoints: [http://a]}}}"),
    'networks[0].encapsulation: is not possible together with cluster.way "wireguard": its packets travel outside of WireGuard, unencrypted',
  ],
  [
    "a peer that is nobody",
    "tenants: [{name: a, peers: [b]}]",
    'tenants[0].peers[0]: there is no tenant "b"; did you mean "a"?',
  ],
  ["a peer that is itself", "tenants: [{name: a, peers: [a]}]", 'tenants[0].peers[0]: "a" is the tenant itself'],
  ["a peer named twice", "tenants: [{name: a, peers: [b, b]}, {name: b}]", 'tenants[0].peers[1]: "b" is named twice'],
  [
    "peers that overlap",
    `${TWO}\ntenants: [{name: blue, peers: [green]}, {name: green, peers: [blue]}]\nnetworks: [{name: b, tenant: blue, pool: blue}, {name: g, tenant: green, pool: green}]`,
    'tenants[0].peers[0]: 10.0.0.0/16 of "blue" overlaps 10.0.0.0/16 of "green": tenants with the same addresses cannot reach each other; use other addresses, or share a service',
  ],
  [
    "a service among the tenant's pods",
    service('address: 10.0.0.53, to: "192.0.2.5:53"'),
    "tenants[0].services[0].address: 10.0.0.53 lies in 10.0.0.0/16, a pool of the tenant's own; use an address outside of its pools",
  ],
  [
    "a service of two families",
    service('address: 10.9.9.9, to: "[2001:db8::5]:53"'),
    "tenants[0].services[0].address: 10.9.9.9 and [2001:db8::5]:53 are of different families",
  ],
  [
    "a server without a port",
    service("address: 10.9.9.9, to: 192.0.2.5"),
    'tenants[0].services[0].to: "192.0.2.5" is not an address and a port such as "192.0.2.5:53" or "[2001:db8::5]:53"',
  ],
  [
    "ranges of the node that are a pool's",
    "tenants: [{name: a}]\nrouters: {probeRanges: [10.66.4.0/24]}\npools: [{name: default, ranges: [[{subnet: 10.66.0.0/16}]]}]",
    'routers.probeRanges: 10.66.4.0/24 overlaps 10.66.0.0/16 of pool "default"',
  ],
  [
    "ranges of the node that meet",
    "tenants: [{name: a}]\nrouters: {probeRanges: [169.254.0.0/16]}",
    "routers.probeRanges: 169.254.0.0/16 overlaps 169.254.16.0/20 of routers.transferRanges",
  ],
  [
    "two ranges of a family",
    "tenants: [{name: a}]\nrouters: {transferRanges: [10.1.0.0/24, 10.2.0.0/24]}",
    "routers.transferRanges: has two IPv4 ranges; give one of each family",
  ],
];

const RULED = `${TWO}
tenants: [{name: blue}, {name: green}]
networks: [{name: b, tenant: blue, pool: blue}, {name: g, tenant: green}]`;
test("a pool that a rule gives to a tenant's network is that tenant's", () => {
  const ruled = (network: string) => unplaced(`${RULED}\npoolRules: [{network: ${network}, pool: green}]`);
  expect(ruled("g")).toEqual([]);
  expect(ruled("b")).toEqual([
    expect.stringContaining('of pool "blue", and both serve networks of tenant "blue"; use other addresses'),
  ]);
});

test.each(mistakes)("refused: %s", (_what, text, complaint) => {
  expect(unplaced(text)).toContain(complaint);
});

test("a peering that only one of the two wants is no mistake, whatever their addresses", () => {
  expect(
    unplaced(
      `${TWO}\ntenants: [{name: blue, peers: [green]}, {name: green}]\nnetworks: [{name: b, tenant: blue, pool: blue}, {name: g, tenant: green, pool: green}]`,
    ),
  ).toEqual([]);
});
