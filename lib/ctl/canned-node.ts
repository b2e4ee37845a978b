/** A node for the tests of selvedgectl: its replies are canned, and what it was asked is kept. */
import {
  Admin,
  Attachment,
  AttachmentList,
  Block,
  BlockList,
  ClusterNode,
  ClusterState,
  Connectivity,
  Diagnosis,
  EgressAddress,
  EgressList,
  LeakList,
  Lease,
  LeaseList,
  type Method,
  Mirror,
  MirrorList,
  MtuFinding,
  MtuReport,
  Network,
  NetworkList,
  NodeStatus,
  Path,
  PathEnd,
  PathHop,
  PathProbe,
  Peer,
  PeerList,
  PeerWay,
  Plane,
  PlanReply,
  PoolList,
  PoolUsage,
  Probes,
  Qos,
  QosList,
  Reach,
  Reservation,
  ReservationList,
  Span,
  Tenant,
  TenantList,
  Trace,
  Traffic,
} from "#proto/selvedge_pb.ts";
import type { Ask } from "./command.ts";
import { run } from "./run.ts";

const POOLS = [
  PoolUsage.of({ name: "default", ranges: ["10.66.0.0/16", "fd42:5e1f:ed9e::/64"], size: 65_533, used: 2, cooling: 1 }),
  PoolUsage.of({ name: "std", ranges: ["10.1.0.0/24"], size: 254, used: 242, reserved: 12, nextFreeMs: 41_000 }),
  PoolUsage.of({ name: "six", ranges: ["fd00::/64"], size: 2 ** 53 - 1, used: 1 }),
];
export const ID = "3f9a0c1d2e4b5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
export const ATTACHMENTS = [
  Attachment.of({
    key: { containerId: ID, ifname: "eth0" },
    network: "cluster",
    phase: "ready",
    pod: "default/web-0",
    type: "ptp",
    addresses: ["10.66.0.2", "fd42:5e1f:ed9e::2", "10.7.0.3"],
    hostLink: "svabc123",
    hostPorts: ["tcp 8080 -> 80"],
    planes: [
      Plane.of({ name: "cluster", ifname: "eth0", type: "ptp", addresses: ["10.66.0.2", "fd42:5e1f:ed9e::2"] }),
      Plane.of({ name: "control", ifname: "ctl", type: "bridge", addresses: ["10.7.0.3"], hostLink: "sv7" }),
    ],
  }),
  Attachment.of({
    key: { containerId: ID, ifname: "eth1" },
    network: "media",
    phase: "deleting",
    type: "bridge",
    hostLink: "svdef456",
    namespaceGone: true,
  }),
];
const NETWORKS = [
  Network.of({ name: "std", attachment: "ptp", pools: ["default"], planes: ["media", "bulk"], interfaces: 12 }),
  Network.of({ name: "media", attachment: "macvlan", pools: ["small", "large"], expose: true }),
  Network.of({ name: "b", attachment: "bridge", pools: ["blue"], tenant: "blue", interfaces: 1 }),
];
const TENANTS = [
  Tenant.of({
    name: "blue",
    configured: true,
    router: "/run/selvedge/tenants/selvedge-blue",
    networks: ["b"],
    subnets: ["10.0.0.0/24", "fd00::/64"],
    peers: ["red"],
    asked: ["green"],
    addresses: ["169.254.18.29"],
    probes: [
      { key: { containerId: ID, ifname: "eth0" }, pod: "default/web-0", address: "10.0.0.2", probe: "169.254.135.237" },
      { key: { containerId: ID, ifname: "eth0" }, pod: "", address: "fd00::2", probe: "fd42:5e1f:ed9d:1::7" },
    ],
  }),
  Tenant.of({ name: "old", router: "/run/selvedge/tenants/selvedge-old" }),
];
const TRAFFIC = Traffic.of({
  key: { containerId: ID, ifname: "eth0" },
  direction: "egress",
  limitBits: 40_000_000,
  measuredBits: 1_250_000,
  drops: 7,
  overlimits: 99,
});
const MEASURED = Qos.of({
  key: { containerId: ID, ifname: "eth0" },
  network: "cluster",
  dscp: "EF",
  priority: "6",
  ingress: Traffic.of({ direction: "ingress", measuredBits: 950 }),
  egress: Traffic.of({ ...TRAFFIC, assuredBits: 10_000_000 }),
});
const MIRROR = Mirror.of({
  id: "1a2b3c4d-0",
  key: { containerId: ID, ifname: "eth0" },
  pod: "default/web-0",
  to: "vxlan:192.0.2.9:42",
  direction: "both",
  leftMs: 600_000,
});
const LEASES = [
  Lease.of({
    pool: "default",
    address: "10.66.0.2",
    owner: { containerId: ID, ifname: "eth0" },
    pod: "default/web-0",
    since: "2026-01-02T03:04:05Z",
  }),
  Lease.of({ pool: "default", address: "10.66.0.9", since: "2026-01-02T03:00:00Z", coolingMs: 95_500 }),
];
const LEAKS = LeakList.of({
  leaks: [
    {
      name: "default/10.66.0.7",
      lease: Lease.of({ owner: { containerId: "dead", ifname: "eth0" } }),
      proof: "no attachment",
    },
    { name: "default/10.66.0.8", proof: "no attachment" },
  ],
});
const SPANS = [
  Span.of({ name: "queued", startUs: 0, durationUs: 20 }),
  Span.of({ name: "leased", startUs: 20, durationUs: 0 }),
  Span.of({ name: "kernel-applied", startUs: 500, durationUs: 1_500, lines: ["+ addr 10.66.0.2/32 dev eth0 [pod]"] }),
];

const DIAGNOSIS = Diagnosis.of({
  findings: [
    { check: "daemon", level: "ok", message: "it answers and is ready", remedy: "" },
    { check: "MTU", level: "warning", message: "media has more", remedy: "give it no `mtu`" },
  ],
  types: [
    { name: "ptp", needs: ["veth"], missing: [] },
    { name: "ipvlan", needs: ["ipvlan", "ipvlan-l3s"], missing: ["ipvlan-l3s"] },
    { name: "vlan", needs: ["vlan"], missing: ["vlan"] },
  ],
  features: [
    { name: "veth", option: "CONFIG_VETH", module: "veth", present: true, remedy: "" },
    { name: "vlan", option: "CONFIG_VLAN_8021Q", module: "8021q", present: false, remedy: "load the module 8021q" },
  ],
});

const RESERVATIONS = [
  Reservation.of({
    name: "default/db-0",
    pool: "std",
    addresses: ["10.1.0.5", "fd00::5"],
    origin: "declared",
    holder: { containerId: ID, ifname: "eth0" },
  }),
  Reservation.of({
    name: "vm:db",
    pool: "std",
    addresses: ["10.1.0.6"],
    mac: "02:00:00:00:00:06",
    origin: "operator",
  }),
];

const NODES = ClusterState.of({
  storeReached: true,
  nodes: [
    ClusterNode.of({
      name: "alpha",
      self: true,
      liveness: "alive",
      heardOf: true,
      addresses: ["192.0.2.1"],
      ways: ["direct", "vxlan"],
      destinations: 2,
      version: "0.1.0",
    }),
    ClusterNode.of({ name: "beta", liveness: "dead", addresses: ["198.51.100.2"], ways: ["direct"], version: "0.1.0" }),
  ],
});
const PROBES = Probes.of({ sent: 60, lost: 3, rttUs: 800, rttMedianUs: 750, rttLongestUs: 2_000 });
const PEERS = PeerList.of({
  peers: [
    Peer.of({
      name: "beta",
      liveness: "alive",
      probes: PROBES,
      lastHandshake: "2026-01-02T03:04:05Z",
      ways: [
        PeerWay.of({
          family: 4,
          way: "vxlan",
          encrypted: true,
          to: "198.51.100.2",
          link: "eth0",
          mtu: 1_390,
          reason: "not on one segment, encrypted",
        }),
        PeerWay.of({ family: 6, reason: "beta has no wireguard" }),
      ],
    }),
    Peer.of({ name: "gamma", liveness: "silent", ways: [PeerWay.of({ family: 4, reason: "no route to gamma" })] }),
  ],
});
const BLOCKS = BlockList.of({
  blocks: [
    Block.of({ pool: "std", prefix: "10.1.0.0/26", node: "alpha", own: true, size: 64, used: 3, cooling: 1, free: 60 }),
    Block.of({ pool: "std", prefix: "10.1.0.64/26", node: "beta", lent: ["10.1.0.70 alpha"], fixed: ["10.1.0.65"] }),
  ],
});
const EGRESS = EgressList.of({
  addresses: [
    EgressAddress.of({
      name: "billing",
      address: "192.0.2.200",
      holder: "beta",
      since: "2026-01-02T03:04:05Z",
      exit: "node",
      reason: "configured",
      pods: ["billing/api-0", "billing/api-1"],
    }),
    EgressAddress.of({ name: "billing", address: "2001:db8::200", exit: "nowhere", reason: "no node holds it" }),
  ],
});
const PATH = Path.of({
  from: PathEnd.of({ containerId: "c1", node: "alpha", address: "10.66.0.5" }),
  to: PathEnd.of({ containerId: "c2", node: "beta", address: "10.66.0.70" }),
  family: 4,
  mtu: 1_450,
  verdict: "reached",
  hops: [
    PathHop.of({ node: "alpha", place: "pod", device: "eth0", kind: "veth", mtu: 1_450, what: "c1, 10.66.0.5" }),
    PathHop.of({
      node: "alpha",
      place: "node",
      device: "sv1",
      kind: "veth",
      mtu: 1_450,
      what: "routed",
      checks: ["inet selvedge guard"],
    }),
    PathHop.of({ node: "beta", place: "way", device: "svx4", kind: "vxlan", mtu: 1_450, what: "from alpha" }),
  ],
  probes: [
    PathProbe.of({ bytes: 84, outcome: "answered", by: "10.66.0.70", rttUs: 420 }),
    PathProbe.of({ hopLimit: 1, bytes: 84, outcome: "exceeded", by: "10.66.0.1", rttUs: 80 }),
  ],
});
const MESH = Connectivity.of({
  reaches: [
    Reach.of({ from: "alpha", to: "beta", liveness: "alive", way4: "vxlan", mtu4: 1_450, probes: PROBES }),
    Reach.of({ from: "beta", to: "alpha", liveness: "dead", way4: "vxlan", mtu4: 1_450 }),
  ],
  silent: ["gamma"],
});

export const MTUS = MtuReport.of({
  findings: [
    MtuFinding.of({ peer: "beta", family: 4, mtu: 1_450, largest: "passes", larger: "too-large", right: true }),
    MtuFinding.of({ peer: "beta", family: 6, mtu: 1_450, largest: "lost", larger: "lost" }),
    MtuFinding.of({ peer: "delta", family: 4, mtu: 1_450, largest: "passes", larger: "passes" }),
  ],
  unasked: ["gamma"],
});

export const REPLIES = new Map<unknown, object>([
  [
    Admin.getStatus,
    NodeStatus.of({
      ready: true,
      version: "0.1.0",
      uptimeMs: 7_380_000,
      attachments: 2,
      deleting: 1,
      rssBytes: 65_011_712,
      lastReconcile: "2026-01-02T03:04:05Z",
      lastReconcileMs: 12,
      repairs: 1,
      kernelRelease: "6.12.1",
      pathMtu: 1500,
      store: "/var/lib/selvedge/state.db",
    }),
  ],
  [Admin.listAttachments, AttachmentList.of({ attachments: ATTACHMENTS })],
  [Admin.listPools, PoolList.of({ pools: POOLS })],
  [Admin.listLeases, LeaseList.of({ leases: LEASES })],
  [Admin.listReservations, ReservationList.of({ reservations: RESERVATIONS })],
  [Admin.reserve, Reservation.of(RESERVATIONS[1])],
  [Admin.release, ReservationList.of({ reservations: RESERVATIONS.slice(1) })],
  [Admin.measureQos, QosList.of({ interfaces: [MEASURED], totals: [TRAFFIC] })],
  [Admin.startMirror, MIRROR],
  [Admin.listMirrors, MirrorList.of({ mirrors: [MIRROR] })],
  [Admin.stopMirror, MIRROR],
  [Admin.findLeaks, LEAKS],
  [Admin.freeLeaks, LeakList.of({ leaks: LEAKS.leaks.slice(0, 1) })],
  [Admin.getTrace, Trace.of({ key: { containerId: ID, ifname: "eth0" }, spans: SPANS })],
  [Admin.plan, PlanReply.of({ lines: ["+ link svabc123 veth up", "- addr 10.66.0.9/32 dev svabc123"] })],
  [Admin.reconcile, PlanReply.of()],
  [Admin.collectGarbage, AttachmentList.of({ attachments: ATTACHMENTS.slice(1) })],
  [Admin.doctor, DIAGNOSIS],
  [Admin.listTenants, TenantList.of({ tenants: TENANTS })],
  [Admin.listNetworks, NetworkList.of({ networks: NETWORKS })],
  [Admin.listNodes, NODES],
  [Admin.listPeers, PEERS],
  [Admin.listEgress, EGRESS],
  [Admin.tracePath, PATH],
  [Admin.listBlocks, BLOCKS],
  [Admin.testConnectivity, MESH],
  [Admin.probeMtu, MTUS],
]);

export type Asked = [path: string, request: object];

/** Runs selvedgectl against canned replies. */
export async function ctl(
  words: string,
  replies: ReadonlyMap<unknown, object> = REPLIES,
  colours = false,
  widthColumns?: number,
) {
  const asked: Asked[] = [];
  const ask = (async (method: Method<object, object>, request: object) => {
    asked.push([method.path.replace("/selvedge.v1.Admin/", ""), request]);
    const reply = replies.get(method);
    if (reply instanceof Error) throw reply;
    return reply;
  }) as Ask;
  const argv = words.split(" ").filter((word) => word !== "");
  const outcome = await run(argv, { version: "0.1.0", socket: "/s", colours, widthColumns, connect: () => ask });
  return { ...outcome, asked };
}
