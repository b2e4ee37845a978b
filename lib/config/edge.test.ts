import { expect, test } from "@jest/globals";
import { parseConfig } from "./config.ts";
import { unplaced } from "./refusal.ts";

const router = (settings: string) =>
  `edge: {routers: [{name: edge1, url: "https://Edge1.example/", key: {file: /k}, ${settings}}]}`;

const tunnelWith = (settings: string) =>
  `{name: w, interface: vti1, addresses: [10.255.0.1/30], networks: [10.70.0.0/16], ${settings}, ipsec: {local: 192.0.2.1, remote: 192.0.2.2, secret: {file: /s}}}`;

test("without the section there are no routers", () => expect("edge" in parseConfig("")).toBe(false));

test("a router has defaults, and what is absent is absent", () => {
  expect(parseConfig(router("bgp: {as: 65000, nodesAs: external, bfd: true}")).edge).toEqual({
    windowMs: 1_000,
    driftSeconds: 60,
    onDrift: "repair",
    deleteLimit: { percent: 20, paths: 50 },
    dryRun: false,
    confirmMinutes: 5,
    verifySeconds: 30,
    speaker: {
      port: 179,
      holdSeconds: 9,
      directory: "/run/frr/selvedge",
      programs: "/usr/lib/frr",
    },
    pairs: [],
    routers: [
      {
        name: "edge1",
        url: "https://edge1.example",
        key: { file: "/k" },
        trust: {},
        commitSeconds: 600,
        probes: [],
        pools: [],
        bgp: {
          as: 65_000,
          nodesAs: "external",
          addresses: [],
          listen: [],
          bfd: true,
          multipath: 8,
          communities: [],
          defaultRoute: false,
        },
        nat: { firstRule: 5_000, masquerade: [], egress: [], oneToOne: [], publish: [] },
        groups: [],
        loadBalancers: [],
        virtualServers: [],
        zones: [],
        vrfs: [],
        shapers: [],
        sites: [],
        legs: [],
      },
    ],
  });
});

const paired = (settings: string, routers = "edge1, edge2") =>
  `edge: {routers: [{name: edge1, url: "https://a", key: {file: /k}}, {name: edge2, url: "https://b", key: {file: /k}}], pairs: [{name: gate, routers: [${routers}], networks: [${settings}]}]}`;
const SHARED = "{interface: eth1, vrid: 10, addresses: [192.0.2.254/24]}";

const MISTAKES: readonly [name: string, yaml: string, message: string][] = [
  [
    "no TLS",
    'edge: {routers: [{name: e, url: "http://192.0.2.1", key: {file: /k}}]}',
    'edge.routers[0].url: "http://192.0.2.1" is not a URL such as "https://192.0.2.1" or "https://edge1.example:8443"',
  ],
  [
    "no key",
    "edge: {routers: [{name: e, url: https://e, key: {}}]}",
    "edge.routers[0].key: needs one of `file`, `environment` and `secret`",
  ],
  [
    "two places of a key",
    "kubernetes: {}\nedge: {routers: [{name: e, url: https://e, key: {file: /k, secret: {name: e, key: api}}}]}",
    "edge.routers[0].key: needs one of `file`, `environment` and `secret`",
  ],
  [
    "a password that is nowhere",
    router("bgp: {as: 1, nodesAs: 2, password: {}}"),
    "edge.routers[0].bgp.password: needs one of `file`, `environment` and `secret`",
  ],
  [
    "a Secret without Kubernetes",
    "edge: {routers: [{name: e, url: https://e, key: {secret: {name: e, key: api}}}]}",
    "edge.routers[0].key.secret: needs `kubernetes`: nothing says where the API server is",
  ],
  [
    "a Secret of a name that Kubernetes does not take",
    "kubernetes: {}\nedge: {routers: [{name: e, url: https://e, key: {secret: {name: Edge_1, key: api}}}]}",
    "edge.routers[0].key.secret.name: what stands there is not a name of small letters, digits, dashes and dots",
  ],
  [
    "two of a name",
    "edge: {routers: [{name: e, url: https://e, key: {file: /k}}, {name: e, url: https://f, key: {environment: K}}]}",
    'edge.routers[1].name: "e" is the name of another one, too',
  ],
  [
    "two ways",
    router("static: {}, bgp: {as: 1, nodesAs: 2}"),
    "edge.routers[0].bgp: is not possible beside `static`; use one of them",
  ],
  [
    "a pool of a VRF that there is not",
    router("static: {}, vrfs: [{name: BLUE, pools: [x]}]"),
    'edge.routers[0].vrfs[0].pools[0]: there is no pool "x"; known: default',
  ],
  [
    "a pool of two VRFs",
    router("static: {}, vrfs: [{name: BLUE, pools: [default]}, {name: RED, pools: [default]}]"),
    'edge.routers[0].vrfs[1].pools[0]: "default" is in VRF BLUE already; a pool is in one, and others have it by `leaks`',
  ],
  [
    "pools of a VRF by BGP",
    router("bgp: {as: 1, nodesAs: 2}, vrfs: [{name: BLUE, pools: [default]}]"),
    "edge.routers[0].vrfs[0].pools: needs `static`; sessions of `bgp` have one table, `bgp.vrf`",
  ],
  [
    "leaks of a VRF that has nothing",
    router("bgp: {as: 1, nodesAs: 2}, vrfs: [{name: BLUE, leaks: [default]}]"),
    "edge.routers[0].vrfs[0].leaks: needs `static`, or `bgp` or a leg in this VRF: nothing of ours is in BLUE",
  ],
  [
    "a VRF that leaks into itself",
    router("static: {}, vrfs: [{name: BLUE, leaks: [BLUE]}]"),
    "edge.routers[0].vrfs[0].leaks[0]: is this VRF itself; name others",
  ],
  [
    "a table for the router's own",
    router("static: {}, vrfs: [{name: default, table: 1001, leaks: [BLUE]}]"),
    "edge.routers[0].vrfs[0].table: is not possible for `default`, which is the router's own table",
  ],
  [
    "a pool that there is not",
    router("pools: [defualt]"),
    'edge.routers[0].pools[0]: there is no pool "defualt"; did you mean "default"?',
  ],
  [
    "a pool of a group",
    router("groups: [{name: G, of: pools, pools: [x]}]"),
    'edge.routers[0].groups[0].pools[0]: there is no pool "x"; known: default',
  ],
  [
    "pods without a choice",
    router("groups: [{name: G, of: pods}]"),
    "edge.routers[0].groups[0].pods: is missing, such as {labels: {app: web}}",
  ],
  [
    "a choice of every pod",
    `policies: {directory: /d}\n${router("groups: [{name: G, of: pods, pods: {labels: {}}}]")}`,
    "edge.routers[0].groups[0].pods: needs `namespace` or `labels`: without both it would mean every pod",
  ],
  [
    "pods that nobody tells of",
    router("groups: [{name: G, of: pods, pods: {labels: {app: web}}}]"),
    "edge.routers[0].groups[0].pods: needs `kubernetes`, or `policies.directory`: nothing tells which pods there are",
  ],
  [
    "pods in a group of nodes",
    router("groups: [{name: G, of: nodes, pods: {labels: {app: web}}}]"),
    "edge.routers[0].groups[0].pods: is possible only with `of: pods`",
  ],
  [
    "pools of a group of pods",
    `kubernetes: {}\n${router("groups: [{name: G, of: pods, pools: [default], pods: {namespace: shop}}]")}`,
    "edge.routers[0].groups[0].pools: is not possible with `of: pods`",
  ],
  [
    "labels that are no texts",
    `kubernetes: {}\n${router("groups: [{name: G, of: pods, pods: {labels: {app: 1}}}]")}`,
    'edge.routers[0].groups[0].pods.labels: {"app":1} is not an object whose values are texts',
  ],
  [
    "a service that nobody answers",
    router("virtualServers: [{name: web, address: 198.51.100.7, port: 80}]"),
    "edge.routers[0].virtualServers[0]: needs either `servers` or `pods`",
  ],
  [
    "a service that two sorts answer",
    `kubernetes: {}\n${router('loadBalancers: [{name: web, port: 80, servers: ["10.66.0.5:80"], pods: {namespace: shop, port: 80}}]')}`,
    "edge.routers[0].loadBalancers[0]: needs either `servers` or `pods`",
  ],
  [
    "a service of pods that nobody tells of",
    router("loadBalancers: [{name: web, port: 80, pods: {namespace: shop, port: 80}}]"),
    "edge.routers[0].loadBalancers[0].pods: needs `kubernetes`, or `policies.directory`: nothing tells which pods there are",
  ],
  [
    "a service without a server",
    router("loadBalancers: [{name: web, port: 80, servers: []}]"),
    "edge.routers[0].loadBalancers[0].servers: [] is not a list of at least one address with its port",
  ],
  [
    "two services of one name",
    router(
      `virtualServers: [${[1, 2].map((n) => `{name: web, address: 198.51.100.${n}, port: 80, servers: ["10.66.0.5:80"]}`).join(", ")}]`,
    ),
    'edge.routers[0].virtualServers[1].name: "web" is the name of another one, too',
  ],
  [
    "two ports of one server",
    router('virtualServers: [{name: web, address: 198.51.100.7, port: 80, servers: ["10.66.0.5:80", "10.66.0.5:81"]}]'),
    "edge.routers[0].virtualServers[0].servers[1]: has the address of another one, too; a virtual server has one port of each",
  ],
  [
    "a virtual server from one family to the other",
    router('virtualServers: [{name: web, address: 198.51.100.7, port: 80, servers: ["[fd66::5]:80"]}]'),
    "edge.routers[0].virtualServers[0].servers[0]: is IPv6, and `address` is IPv4; both are of one family",
  ],
  [
    "a leg of no kind",
    router("legs: [{name: b, interface: tun1}]"),
    "edge.routers[0].legs[0]: needs either `vxlan` or `gre`",
  ],
  [
    "a leg by an interface of another kind",
    router("legs: [{name: b, interface: tun1, vxlan: {vni: 7, local: 192.0.2.251}}]"),
    'edge.routers[0].legs[0].interface: "tun1" is not possible with `vxlan`; its interfaces begin with vxlan',
  ],
  [
    "two legs by one interface",
    router(
      `legs: [${[7, 8].map((vni) => `{name: b, interface: vxlan1, vxlan: {vni: ${vni}, local: 192.0.2.251}}`).join(", ")}]`,
    ),
    'edge.routers[0].legs[1].interface: "vxlan1" is that of another leg, too',
  ],
  [
    "two GREs that nothing tells from each other",
    router(
      `legs: [${[1, 2].map((n) => `{name: b, interface: tun${n}, gre: {local: 192.0.2.251, remote: 192.0.2.${n}}}`).join(", ")}]`,
    ),
    "edge.routers[0].legs[1].gre.key: is that of another leg with the same `local`; give each its own",
  ],
  [
    "a tunnel between families",
    router("legs: [{name: b, interface: tun1, gre: {local: 192.0.2.251, remote: 2001:db8::9}}]"),
    "edge.routers[0].legs[0].gre.local: is of another family than 2001:db8::9; a tunnel has ends of one",
  ],
  [
    "networks behind a VXLAN",
    router("legs: [{name: b, interface: vxlan1, networks: [10.9.0.0/16], vxlan: {vni: 7, local: 192.0.2.251}}]"),
    "edge.routers[0].legs[0].networks: is possible only with `gre`; of a VXLAN give the interface an address of the segment",
  ],
  ["a pair of one", paired(SHARED, "edge1"), 'edge.pairs[0].routers: ["edge1"] is not a list of two routers'],
  [
    "a pair with a router that there is not",
    paired(SHARED, "edge1, edge3"),
    'edge.pairs[0].routers[1]: there is no router "edge3"; did you mean "edge1"?',
  ],
  [
    "a pair of one with itself",
    paired(SHARED, "edge1, edge1"),
    'edge.pairs[0].routers[1]: "edge1" is one of a pair already',
  ],
  ["a pair on no network", paired(""), "edge.pairs[0].networks: [] is not a list of at least one network"],
  [
    "a pair twice on one network",
    paired(`${SHARED}, ${SHARED}`),
    'edge.pairs[0].networks[1].interface: "eth1" is that of another network, too',
  ],
  [
    "a pair whose address is a network",
    paired("{interface: eth1, vrid: 10, addresses: [192.0.2.0/24]}"),
    "edge.pairs[0].networks[0].addresses[0]: 192.0.2.0/24 is a network; say which address of it",
  ],
  [
    "a virtual router that there cannot be",
    paired("{interface: eth1, vrid: 256, addresses: [192.0.2.254/24]}"),
    "edge.pairs[0].networks[0].vrid: 256 is not a whole number from 1 to 255",
  ],
  [
    "a prefix with host bits",
    router("bgp: {as: 1, nodesAs: 2, listen: [192.0.2.1/24]}"),
    'edge.routers[0].bgp.listen[0]: "192.0.2.1/24" is not a prefix such as "192.0.2.0/24"',
  ],
  [
    "an AS that there is not",
    router("bgp: {as: 4294967295, nodesAs: 2}"),
    "edge.routers[0].bgp.as: 4294967295 is not a whole number from 1 to 4294967294",
  ],
  [
    "nodes of many ASes that call",
    router("bgp: {as: 1, nodesAs: external, addresses: [192.0.2.1]}"),
    'edge.routers[0].bgp.nodesAs: must be a number, or "internal", where FRR on the nodes calls `addresses`',
  ],
  [
    "two ASes of one node",
    `edge: {routers: [${["e", "f"].map((name, i) => `{name: ${name}, url: "https://${name}", key: {file: /k}, bgp: {as: 1, nodesAs: ${2 + i}, addresses: [192.0.2.${i}]}}`).join(", ")}]}`,
    "edge.routers[1].bgp.nodesAs: is 3, and 2 for another router; a node has one AS",
  ],
  [
    "a tunnel of no kind",
    router("sites: [{name: w, interface: wg1, networks: [10.70.0.0/16]}]"),
    "edge.routers[0].sites[0]: needs either `wireguard` or `ipsec`",
  ],
  [
    "an interface of another kind",
    router(
      "sites: [{name: w, interface: wg1, networks: [], ipsec: {local: 192.0.2.1, remote: 192.0.2.2, secret: {file: /s}}}]",
    ),
    'edge.routers[0].sites[0].interface: "wg1" is not possible with `ipsec`; its interfaces begin with vti',
  ],
  ...(
    [
      ["egress: [{source: 10.66.9.0/24, address: 2001:db8::9, interface: eth0}]", "egress[0].address", "source"],
      ['oneToOne: [{outside: 198.51.100.5, inside: "fd00::9", interface: eth0}]', "oneToOne[0].outside", "inside"],
      [
        'publish: [{name: w, interface: eth0, address: 198.51.100.5, port: 80, to: "[fd00::9]:80"}]',
        "publish[0].address",
        "to",
      ],
    ] as const
  ).map(([nat, path, inner]): [string, string, string] => [
    `NAT from one family to the other: ${path}`,
    router(`nat: {${nat}}`),
    `edge.routers[0].nat.${path}: is IPv${inner === "source" ? "6" : "4"}, and \`${inner}\` is IPv${inner === "source" ? "4" : "6"}; both are of one family`,
  ]),
  [
    "a rule about a group that there is not",
    router("groups: [{name: PODS, of: pools}], firewall: {rules: [{name: r, action: drop, from: PODZ}]}"),
    'edge.routers[0].firewall.rules[0].from: there is no group "PODZ"; did you mean "PODS"?',
  ],
  [
    "a rule about ports of no protocol",
    router("firewall: {rules: [{name: r, action: drop, ports: [53]}]}"),
    "edge.routers[0].firewall.rules[0].ports: need a protocol that has them: tcp or udp",
  ],
  [
    "a rule from one family to the other",
    router('firewall: {rules: [{name: r, action: drop, from: 192.0.2.0/24, to: "2001:db8::/64"}]}'),
    "edge.routers[0].firewall.rules[0].to: is of another family than `from`: no packet is of both",
  ],
  [
    "a site's network that pods are in",
    `pools: [{name: default, ranges: [[{subnet: 10.70.0.0/16}]]}]\n${router(
      "sites: [{name: w, interface: vti1, networks: [10.0.0.0/8, 10.70.4.0/24], ipsec: {local: 192.0.2.1, remote: 192.0.2.2, secret: {file: /s}}}]",
    )}`,
    'edge.routers[0].sites[0].networks: 10.70.4.0/24 is here: pool "default" has 10.70.0.0/16; name only what is reached there',
  ],
  [
    "a neighbour that the tunnel does not lead to",
    router(`sites: [${tunnelWith("bgp: {as: 65000, remoteAs: 65010, neighbour: 10.255.9.2}")}]`),
    "edge.routers[0].sites[0].bgp.neighbour: 10.255.9.2 is on no network of the tunnel's `addresses`",
  ],
  [
    "two ASes of one router",
    router(
      `bgp: {as: 65001, nodesAs: 1}, sites: [${tunnelWith("bgp: {as: 65000, remoteAs: 65010, neighbour: 10.255.0.2}")}]`,
    ),
    "edge.routers[0].sites[0].bgp.as: is 65000, and 65001 elsewhere; a router has one AS",
  ],
  [
    "shares of all and more",
    router(
      "shapers: [{interface: eth0, rate: 1000000, classes: [{dscp: EF, percent: 60}, {dscp: AF11, percent: 40}]}]",
    ),
    "edge.routers[0].shapers[0].classes: have 100 percent together; they must have fewer than 100",
  ],
  [
    "a fingerprint of another length",
    router("trust: {fingerprint: aabb}"),
    'edge.routers[0].trust.fingerprint: "aabb" is not the 64 hexadecimal digits of a SHA-256, with colons or without',
  ],
];

test.each(MISTAKES)("%s", (_name, yaml, message) => expect(unplaced(yaml)).toEqual([message]));
test("the table has cases", () => expect(MISTAKES.length).toBeGreaterThan(0));

test("secrets are in a file, in the environment or in a Secret of Kubernetes, which is in kube-system unless it is said", () => {
  const { edge } = parseConfig(`kubernetes: {}
edge:
  routers:
    - name: e
      url: https://e
      key: { secret: { name: edge1, key: api } }
      bgp: { as: 1, nodesAs: 2, password: { environment: BGP } }
      sites:
        - name: w
          interface: wg1
          networks: [10.70.0.0/16]
          wireguard:
            publicKey: ${"A".repeat(43)}=
            privateKey: { secret: { name: tunnel, namespace: edge, key: private } }
            presharedKey: { file: /psk }
`);
  const [router] = edge?.routers ?? [];
  expect([router?.key, router?.bgp?.password]).toEqual([
    { secret: { name: "edge1", namespace: "kube-system", key: "api" } },
    { environment: "BGP" },
  ]);
  expect(router?.sites[0]?.wireguard).toMatchObject({
    privateKey: { secret: { name: "tunnel", namespace: "edge", key: "private" } },
    presharedKey: { file: "/psk" },
  });
});
