/** What is compared. Everything of one kind has the same content: addresses, ports and rates. */
import { join } from "node:path";
import type { JsonObject, Parent, Plugin, Pod, Subject } from "./chain.ts";

export interface Places {
  /** Directory of the reference plugins. */
  readonly reference: string;
  /** The built plugin of Selvedge. */
  readonly selvedge: string;
  /** Where everybody keeps state: host-local's files, and in a directory of its own the daemon's. */
  readonly state: string;
  readonly socket: string;
}

/** Bits per second and bits, both directions. */
const BANDWIDTH: JsonObject = {
  ingressRate: 100_000_000,
  ingressBurst: 8_000_000,
  egressRate: 100_000_000,
  egressBurst: 8_000_000,
};

const portMappings = ({ number }: Pod) =>
  [0, 1].map((n) => ({ hostPort: 20_000 + 2 * number + n, containerPort: 8_080 + n, protocol: "tcp" }));

/** A /16 (and a /64) of its own for each subject, so that none waits for another's addresses. */
const ranges = (net: number, dual: boolean) => [
  [{ subnet: `10.${net}.0.0/16` }],
  ...(dual ? [[{ subnet: `fd00:${net}::/64` }]] : []),
];

const DEFAULT_ROUTES = (dual: boolean) => [{ dst: "0.0.0.0/0" }, ...(dual ? [{ dst: "::/0" }] : [])];

export type SubjectName =
  | "selvedge full"
  | "selvedge plain"
  | "selvedge dual"
  | "selvedge bridge"
  | "selvedge planes"
  | "selvedge macvlan"
  | "selvedge probed"
  | "selvedge ipvlan"
  | "ptp bare"
  | "ptp planes"
  | "macvlan bare"
  | "ipvlan bare"
  | "bridge bare"
  | "bridge masq"
  | "chain bridge"
  | "chain ptp"
  | "chain dual";

/** Planes that the daemon's configuration has besides each subject's own network. */
const PLANES = [
  { name: "control", net: 40 },
  { name: "media", net: 41 },
] as const;

/** What the daemon is configured with. */
export const DAEMON: JsonObject = {
  pools: [
    { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd42:5e1f:ed9e::/64" }]] },
    ...PLANES.map(({ name, net }) => ({ name, ranges: ranges(net, false) })),
  ],
  networks: [{ name: "std" }, ...PLANES.map(({ name }) => ({ name, pool: name }))],
};

export function subjects({ reference, selvedge, state, socket }: Places): Readonly<Record<SubjectName, Subject>> {
  const theirs = (name: SubjectName, means: string, plugins: readonly [type: string, config: Plugin["config"]][]) => ({
    name,
    means,
    // They run iptables and nft by name, and their IPAM from CNI_PATH.
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    plugins: plugins.map(([type, config]) => ({
      program: join(reference, type),
      config: (pod: Pod) => ({ type, ...config(pod) }),
    })),
  });
  const hostLocal = (net: number, dual: boolean): JsonObject => ({
    type: "host-local",
    dataDir: join(state, "host-local"),
    ranges: ranges(net, dual),
    routes: DEFAULT_ROUTES(dual),
  });
  const bridge = (name: string, net: number, ipMasq: boolean, dual = false): [string, Plugin["config"]] => [
    "bridge",
    () => ({ bridge: name, isGateway: true, ipMasq, ipam: hostLocal(net, dual) }),
  ];
  const ptp = (net: number, ipMasq: boolean): [string, Plugin["config"]] => [
    "ptp",
    () => ({ ipMasq, ipam: hostLocal(net, false) }),
  ];
  const onParent = (type: string, master: string, net: number): [string, Plugin["config"]] => [
    type,
    () => ({ master, ipam: hostLocal(net, false) }),
  ];
  /** A routing table for each interface, and rules by source. */
  const sbr: [string, Plugin["config"]] = ["sbr", () => ({})];
  /** What a kubelet's list has behind the first plugin. */
  const behind: [string, Plugin["config"]][] = [
    [
      "portmap",
      (pod) => ({
        snat: true,
        capabilities: { portMappings: true },
        runtimeConfig: { portMappings: portMappings(pod) },
      }),
    ],
    ["bandwidth", () => ({ capabilities: { bandwidth: true }, runtimeConfig: { bandwidth: BANDWIDTH } })],
    ["firewall", () => ({ backend: "iptables" })],
  ];
  const ours = (name: SubjectName, means: string, config: Plugin["config"]): Subject => ({
    name,
    means,
    environment: { SELVEDGE_SOCKET: socket },
    plugins: [{ program: selvedge, config: (pod) => ({ type: "selvedge", ...config(pod) }) }],
  });
  const own = (net: number, dual: boolean): JsonObject => ({
    type: "selvedge",
    ranges: ranges(net, dual),
    routes: DEFAULT_ROUTES(dual),
  });
  return {
    "selvedge full": ours(
      "selvedge full",
      "ptp, dual stack, masquerade, spoof protection, 2 host ports, bandwidth",
      (pod) => ({
        ipMasq: true,
        ipam: own(20, true),
        capabilities: { portMappings: true, bandwidth: true },
        runtimeConfig: { portMappings: portMappings(pod), bandwidth: BANDWIDTH },
      }),
    ),
    "selvedge plain": ours("selvedge plain", "ptp, IPv4, no masquerade, spoof protection", () => ({
      ipMasq: false,
      ipam: own(21, false),
    })),
    "selvedge dual": ours("selvedge dual", "ptp, dual stack, no masquerade, no spoof protection", () => ({
      ipMasq: false,
      spoofProtection: false,
      ipam: own(22, true),
    })),
    "selvedge bridge": ours("selvedge bridge", "bridge, IPv4, masquerade, spoof protection", () => ({
      attachment: "bridge",
      bridge: "bench-own",
      isGateway: true,
      ipMasq: true,
      ipam: own(23, false),
    })),
    "selvedge planes": ours("selvedge planes", "selvedge plain on three planes, by one ADD", () => ({
      network: "std",
      ipMasq: false,
      ipam: own(24, false),
      planes: PLANES.map(({ name }) => name),
    })),
    "selvedge macvlan": hanging(
      { name: "bench-mac0", carries: "macvlan" },
      ours("selvedge macvlan", "macvlan, IPv4, reached from the node by a shim, no duplicate check", () => ({
        attachment: "macvlan",
        master: "bench-mac0",
        duplicateCheck: false,
        ipam: own(25, false),
      })),
    ),
    "selvedge probed": hanging(
      { name: "bench-mac0", carries: "macvlan" },
      ours("selvedge probed", "selvedge macvlan; its address is looked for on the wire first, for 300 ms", () => ({
        attachment: "macvlan",
        master: "bench-mac0",
        ipam: own(26, false),
      })),
    ),
    "selvedge ipvlan": hanging(
      { name: "bench-ipv0", carries: "ipvlan" },
      ours("selvedge ipvlan", "ipvlan l2, IPv4, reached from the node by a shim, no duplicate check", () => ({
        attachment: "ipvlan",
        master: "bench-ipv0",
        duplicateCheck: false,
        ipam: own(27, false),
      })),
    ),
    "macvlan bare": hanging(
      { name: "bench-mac1", carries: "macvlan" },
      theirs("macvlan bare", "macvlan + host-local, IPv4", [onParent("macvlan", "bench-mac1", 42)]),
    ),
    "ipvlan bare": hanging(
      { name: "bench-ipv1", carries: "ipvlan" },
      theirs("ipvlan bare", "ipvlan l2 + host-local, IPv4", [onParent("ipvlan", "bench-ipv1", 43)]),
    ),
    "ptp bare": theirs("ptp bare", "ptp + host-local, IPv4, no masquerade", [ptp(30, false)]),
    "ptp planes": onInterfaces(
      theirs("ptp planes", "three ADDs of ptp bare, as Multus does; sbr behind the second and the third", [
        ptp(36, false),
        ptp(37, false),
        sbr,
        ptp(38, false),
        sbr,
      ]),
      ["eth0", "net1", "net1", "net2", "net2"],
    ),
    "bridge bare": theirs("bridge bare", "bridge + host-local, IPv4, no masquerade", [bridge("bench-bare", 31, false)]),
    "bridge masq": theirs("bridge masq", "bridge + host-local, IPv4, ipMasq", [bridge("bench-masq", 32, true)]),
    "chain bridge": theirs("chain bridge", "bridge + ipMasq + portmap (2 ports) + bandwidth + firewall, IPv4", [
      bridge("bench-chain", 33, true),
      ...behind,
    ]),
    "chain ptp": theirs("chain ptp", "ptp + ipMasq + portmap (2 ports) + bandwidth + firewall, IPv4", [
      ptp(34, true),
      ...behind,
    ]),
    "chain dual": theirs("chain dual", "chain bridge in dual stack", [bridge("bench-dual", 35, true, true), ...behind]),
  };
}

const hanging = (parent: Parent, subject: Subject): Subject => ({ ...subject, parent });

/** Each plugin with the interface that it is run for. */
const onInterfaces = (subject: Subject, names: readonly string[]): Subject => ({
  ...subject,
  plugins: subject.plugins.map((plugin, i) => ({ ...plugin, ifname: names[i] ?? "" })),
});
