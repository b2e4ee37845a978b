import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
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
import { COMMANDS } from "./commands.ts";
import { run } from "./run.ts";

const POOLS = [
  PoolUsage.of({ name: "default", ranges: ["10.66.0.0/16", "fd42:5e1f:ed9e::/64"], size: 65_533, used: 2, cooling: 1 }),
  PoolUsage.of({ name: "std", ranges: ["10.1.0.0/24"], size: 254, used: 242, reserved: 12, nextFreeMs: 41_000 }),
  PoolUsage.of({ name: "six", ranges: ["fd00::/64"], size: 2 ** 53 - 1, used: 1 }),
];
const ID = "3f9a0c1d2e4b5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
const ATTACHMENTS = [
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

const MTUS = MtuReport.of({
  findings: [
    MtuFinding.of({ peer: "beta", family: 4, mtu: 1_450, largest: "passes", larger: "too-large", right: true }),
    MtuFinding.of({ peer: "beta", family: 6, mtu: 1_450, largest: "lost", larger: "lost" }),
    MtuFinding.of({ peer: "delta", family: 4, mtu: 1_450, largest: "passes", larger: "passes" }),
  ],
  unasked: ["gamma"],
});

const REPLIES = new Map<unknown, object>([
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

type Asked = [path: string, request: object];

/** Runs selvedgectl against canned replies. */
async function ctl(
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

const GOLDEN: [words: string, out: string][] = [
  [
    "nodes",
    `NODE          STATE  STORE     ADDRESSES     WAYS          REACHED BY IT  VERSION
alpha (this)  alive  heard of  192.0.2.1     direct vxlan              2  0.1.0
beta          dead   silent    198.51.100.2  direct                    0  0.1.0
`,
  ],
  [
    "peers",
    `PEER   STATE   PODS  WAY                 TO            BY     MTU      RTT  LOSS  HANDSHAKE             WHY
beta   alive   IPv4  vxlan in wireguard  198.51.100.2  eth0  1390  0.75 ms   5 %  2026-01-02T03:04:05Z  not on one segm…
               IPv6  -                   -             -        -                                       beta has no wir…
gamma  silent  IPv4  -                   -             -        -        -     -  -                     no route to gam…
`,
  ],
  [
    "peers beta",
    `PEER  STATE  PODS  WAY                 TO            BY     MTU      RTT  LOSS  HANDSHAKE             WHY
beta  alive  IPv4  vxlan in wireguard  198.51.100.2  eth0  1390  0.75 ms   5 %  2026-01-02T03:04:05Z  not on one segmen…
             IPv6  -                   -             -        -                                       beta has no wireg…
`,
  ],
  [
    "blocks",
    `POOL  BLOCK         NODE          USED  COOLING  FREE  LENT             FIXED
std   10.1.0.0/26   alpha (this)     3        1    60  -                -
std   10.1.0.64/26  beta             -        -     -  10.1.0.70 alpha  10.1.0.65
`,
  ],
  [
    "egress",
    `NAME     ADDRESS        HOLDER  SINCE                 FROM HERE  PODS HERE  WHY
billing  192.0.2.200    beta    2026-01-02T03:04:05Z  by beta            2  configured
billing  2001:db8::200  -       -                     refused            0  no node holds it
`,
  ],
  [
    "path c1 c2",
    `10.66.0.5 to 10.66.0.70, packets of up to 1450 bytes

NODE   AT    DEVICE  KIND    MTU  MAY DROP             WHAT
alpha  pod   eth0    veth   1450  -                    c1, 10.66.0.5
alpha  node  sv1     veth   1450  inet selvedge guard  routed
beta   way   svx4    vxlan  1450  -                    from alpha

PROBE            OUTCOME   BY              RTT
84 bytes         answered  10.66.0.70  0.42 ms
84 bytes, 1 hop  exceeded  10.66.0.1   0.08 ms

reached
`,
  ],
  [
    "blocks other",
    `no blocks
`,
  ],
  [
    "status",
    `selvedged 0.1.0: ready
  up for           2 h 3 min
  attachments      2 (0 adding, 1 deleting)
  verbs            0 running, 0 queued
  links to remove  0
  last reconcile   2026-01-02T03:04:05Z, 12 ms; 1 repair since start
  memory           62.0 MiB
  path MTU         1500 bytes
  kernel           6.12.1
  store            /var/lib/selvedge/state.db
`,
  ],
  [
    "attachments",
    `CONTAINER     IFNAME  NETWORK  POD            TYPE    PHASE           ADDRESSES          HOST LINK  HOST PORTS
3f9a0c1d2e4b  eth0    cluster  default/web-0  ptp     ready           10.66.0.2          svabc123   tcp 8080 -> 80
                                                                      fd42:5e1f:ed9e::2
  plane       ctl     control  -              bridge  -               10.7.0.3           sv7        -
3f9a0c1d2e4b  eth1    media    -              bridge  deleting, gone  -                  svdef456   -
`,
  ],
  [
    "ipam",
    `POOL     RANGES                 SIZE  USED  COOLING  RESERVED  NEXT FREE
default  10.66.0.0/16          65533     2        1         0  now
         fd42:5e1f:ed9e::/64
std      10.1.0.0/24             254   242        0        12  in 41 s
six      fd00::/64            > 2^53     1        0         0  now
`,
  ],
  [
    "ipam leases",
    `POOL     ADDRESS    OWNER              POD            SINCE
default  10.66.0.2  3f9a0c1d2e4b/eth0  default/web-0  2026-01-02T03:04:05Z
`,
  ],
  [
    "qos web-0",
    `CONTAINER     IFNAME  NETWORK  DSCP  PRIORITY  DIRECTION      LIMIT    ASSURED     MEASURED  DROPS  WAITED
3f9a0c1d2e4b  eth0    cluster  EF           6  ingress            -          -    950 bit/s      0       0
                                               egress     40 Mbit/s  10 Mbit/s  1.25 Mbit/s      7      99

POD TOTAL     DIRECTION      LIMIT  ASSURED     MEASURED  DROPS  WAITED
3f9a0c1d2e4b  egress     40 Mbit/s        -  1.25 Mbit/s      7      99
`,
  ],
  [
    "mirror start web-0 --to vxlan:192.0.2.9:42 --for 10m",
    `MIRROR      CONTAINER     IFNAME  POD            DIRECTION  TO                  FILTER      ENDS IN
1a2b3c4d-0  3f9a0c1d2e4b  eth0    default/web-0  both       vxlan:192.0.2.9:42  everything   10 min
`,
  ],
  ["mirror stop 1a2b3c4d-0", "1a2b3c4d-0 ended\n"],
  [
    "reservations",
    `NAME          POOL  ADDRESSES  MAC                ORIGIN    HOLDER
default/db-0  std   10.1.0.5   -                  declared  3f9a0c1d2e4b/eth0
                    fd00::5
vm:db         std   10.1.0.6   02:00:00:00:00:06  operator  -
`,
  ],
  [
    "reserve vm:db --pool std --address 10.1.0.6 --mac 02:00:00:00:00:06",
    `NAME   POOL  ADDRESSES  MAC                ORIGIN    HOLDER
vm:db  std   10.1.0.6   02:00:00:00:00:06  operator  -
`,
  ],
  [
    "release vm:db",
    `NAME   POOL  ADDRESSES  MAC                ORIGIN    HOLDER
vm:db  std   10.1.0.6   02:00:00:00:00:06  operator  -

1 reservation ended
`,
  ],
  [
    "networks",
    `NETWORK  TYPE     POOLS    TENANT  PLANES  EXPOSED  INTERFACES
std      ptp      default  -       media   no               12
                                   bulk
media    macvlan  small    -       -       yes               0
                  large
b        bridge   blue     blue    -       no                1
`,
  ],
  [
    "tenants",
    `TENANT                NETWORKS  SUBNETS      PEERS                 PODS  ROUTER
blue                  b         10.0.0.0/24  red                      1  /run/selvedge/tenants/selvedge-blue
                                fd00::/64    green (does not ask)        169.254.18.29
old (not configured)  -         -            -                        0  /run/selvedge/tenants/selvedge-old

PROBE ADDRESS        ADDRESS   TENANT  POD
169.254.135.237      10.0.0.2  blue    default/web-0
fd42:5e1f:ed9d:1::7  fd00::2   blue    3f9a0c1d2e4b
`,
  ],
  [
    "tenants old",
    `TENANT                NETWORKS  SUBNETS  PEERS  PODS  ROUTER
old (not configured)  -         -        -         0  /run/selvedge/tenants/selvedge-old
`,
  ],
  [
    "ipam cooldowns",
    `POOL     ADDRESS    RELEASED                 FREE IN
default  10.66.0.9  2026-01-02T03:00:00Z  1 min 35 s
`,
  ],
  [
    "ipam leaks",
    `LEAK               OWNER      PROOF
default/10.66.0.7  dead/eth0  no attachment
default/10.66.0.8  -          no attachment

Free them with \`selvedgectl ipam leaks --free\`.
`,
  ],
  [
    "ipam leaks --free",
    `LEAK               OWNER      PROOF
default/10.66.0.7  dead/eth0  no attachment

1 address freed
1 address kept: in use again, or no longer leaked
`,
  ],
  [
    "doctor",
    `ok       daemon: it answers and is ready
warning  MTU: media has more
         give it no \`mtu\`

0 problems, 1 warning

TYPE    HERE     NEEDS              MISSING
ptp     yes      veth               -
ipvlan  in part  ipvlan ipvlan-l3s  ipvlan-l3s
vlan    no       vlan               vlan

THIS KERNEL LACKS  REMEDY
vlan               load the module 8021q
`,
  ],
  ["plan", "+ link svabc123 veth up\n- addr 10.66.0.9/32 dev svabc123\n\n2 operations to do\n"],
  ["reconcile", "nothing was to be done\n"],
  [
    "gc --dry-run",
    `CONTAINER     IFNAME  NETWORK  POD  TYPE    PHASE           ADDRESSES  HOST LINK  HOST PORTS
3f9a0c1d2e4b  eth1    media    -    bridge  deleting, gone  -          svdef456   -

1 attachment would be removed
`,
  ],
  [
    "trace default/web-0",
    `${ID} eth0

STEP                  START         TOOK
queued              0.00 ms      0.02 ms  █
leased              0.02 ms      0.00 ms
kernel-applied      0.50 ms      1.50 ms              ████████████████████████████████████
total               0.00 ms      2.00 ms

+ addr 10.66.0.2/32 dev eth0 [pod]
`,
  ],
];
test("selvedgectl connectivity ends with 5 where somebody does not reach somebody", async () =>
  expect(await ctl("connectivity --node alpha --node beta")).toEqual({
    out: `FROM   TO     STATE  IPv4 BY   MTU  IPv6 BY  MTU      RTT  LOSS
alpha  beta   alive  vxlan    1450  -          -  0.75 ms   5 %
beta   alpha  dead   vxlan    1450  -          -        -     -

1 of 2 directions not well
gamma did not answer
`,
    err: "",
    exit: 5,
    asked: [["TestConnectivity", { nodes: ["alpha", "beta"], waitMs: 5_000 }]],
  }));

test.each(GOLDEN)("selvedgectl %s", async (words, out) => {
  expect(await ctl(words)).toMatchObject({ out, err: "", exit: 0 });
  expect(out).not.toMatch(/[ \t]$/m);
});

const EMPTY: [words: string, out: string][] = [
  ["qos", "no attachments\n"],
  ["mirror list", "no mirrors\n"],
  ["attachments", "no attachments\n"],
  ["ipam", "no pools\n"],
  ["ipam leases", "no leases\n"],
  ["ipam cooldowns", "no addresses are cooling down\n"],
  ["reservations", "no reservations\n"],
  ["tenants", "no tenants\n"],
  ["ipam leaks", "no leaks\n"],
  ["ipam leaks --free", "no leaks\n"],
  ["plan", "nothing to do\n"],
  ["gc", "nothing to collect\n"],
];
const NOTHING = new Map<unknown, object>(
  (Object.values(Admin) as unknown as Method<object, object>[]).map((method) => [method, method.reply.of()]),
);
test.each(EMPTY)("selvedgectl %s, when there is nothing", async (words, out) => {
  expect(await ctl(words, NOTHING)).toMatchObject({ out, exit: 0 });
});

test("a node that is not ready says what it waits for, and status exits 4", async () => {
  const replies = new Map([[Admin.getStatus, NodeStatus.of({ version: "0.1.0", waitingFor: ["the store"] })]]);
  const { out, exit } = await ctl("status", replies);
  expect(out.split("\n").slice(0, 2)).toEqual(["selvedged 0.1.0: not ready", "  waiting for the store"]);
  expect(exit).toBe(4);
});

test("selvedgectl doctor mtu ends with 5 where a way's MTU is wrong or unknown", async () => {
  expect(await ctl("doctor mtu --node beta --node gamma")).toEqual({
    out: `PEER   PODS   MTU  THAT SIZE  ONE BYTE MORE  VERDICT
beta   IPv4  1450  passes     too-large      right
beta   IPv6  1450  lost       lost           packets as large as pods may send do not arrive
delta  IPv4  1450  passes     passes         larger packets would pass, too

2 of 3 ways wrong
gamma was not asked: it is not alive, or there is no way to it
`,
    err: "",
    exit: 5,
    asked: [["ProbeMtu", { nodes: ["beta", "gamma"] }]],
  });
  const endsWith = async (report: Partial<MtuReport>) =>
    (await ctl("doctor mtu", new Map([[Admin.probeMtu, MtuReport.of(report)]]))).exit;
  const findings = MTUS.findings.slice(0, 1);
  expect(await endsWith({ findings })).toBe(0);
  expect(await endsWith({ findings, unasked: ["gamma"] })).toBe(5);
  expect((await ctl("doctor --node beta")).exit).toBe(2);
});

test("a node with problems makes doctor exit 5", async () => {
  const findings = [{ check: "socket", level: "problem", message: "it is gone", remedy: "restart selvedged" }];
  const { out, exit } = await ctl("doctor", new Map([[Admin.doctor, Diagnosis.of({ findings })]]));
  expect(out.split("\n").slice(0, 4)).toEqual([
    "problem  socket: it is gone",
    "         restart selvedged",
    "",
    "1 problem, 0 warnings",
  ]);
  expect(exit).toBe(5);
});

const ASKED: [words: string, asked: Asked[]][] = [
  ["attachments --network media --pod web", [["ListAttachments", { network: "media", pod: "web" }]]],
  ["--network=media attachments", [["ListAttachments", { network: "media", pod: "" }]]],
  ["ipam leases --pool std", [["ListLeases", { pool: "std" }]]],
  [
    "ipam leaks --free",
    [
      ["FindLeaks", {}],
      ["FreeLeaks", { names: ["default/10.66.0.7", "default/10.66.0.8"] }],
    ],
  ],
  ["reservations --pool std", [["ListReservations", { pool: "std" }]]],
  [
    "reserve default/db-0 --address 10.1.0.5 --address fd00::5 --pool std",
    [["Reserve", { name: "default/db-0", pool: "std", addresses: ["10.1.0.5", "fd00::5"], mac: "" }]],
  ],
  ["reserve vm:db", [["Reserve", { name: "vm:db", pool: "", addresses: [], mac: "" }]]],
  ["release default/db-0", [["Release", { name: "default/db-0", pool: "" }]]],
  ["gc", [["CollectGarbage", { dryRun: false }]]],
  ["gc --dry-run", [["CollectGarbage", { dryRun: true }]]],
  ["help", []],
];
test.each(ASKED)("selvedgectl %s asks", async (words, asked) => expect((await ctl(words)).asked).toEqual(asked));

const TRACED: [wanted: string, ifname: string | undefined][] = [
  [ID, undefined],
  ["3f9a", undefined],
  ["3f9a/eth1", "eth1"],
  [`${ID}/eth0`, "eth0"],
  ["web-0", "eth0"],
  ["default/web-0", "eth0"],
  ["web", undefined],
  ["", undefined],
];
test.each(TRACED)("trace %j means the interface %s", async (wanted, ifname) => {
  const { asked, exit } = await ctl(`trace ${wanted}`);
  const key = asked.find(([path]) => path === "GetTrace")?.[1];
  expect(key).toEqual(ifname === undefined ? undefined : { containerId: ID, ifname });
  expect(exit === 0).toBe(ifname !== undefined);
});

test("an ambiguous attachment is told with what it could be", async () => {
  expect((await ctl("trace 3f9a")).err).toBe(
    'selvedgectl: "3f9a" is not one attachment: 3f9a0c1d2e4b/eth0, 3f9a0c1d2e4b/eth1\n' +
      "Give more of the container id, or CONTAINER/IFNAME.\n",
  );
});

const USAGE: [words: string, message: string][] = [
  ["staus", 'there is no command "staus"; did you mean "status"?'],
  ["frobnicate", 'there is no command "frobnicate"; `selvedgectl help` lists all'],
  ["help staus", 'there is no command "staus"; did you mean "status"?'],
  ["constructor", 'there is no command "constructor"; `selvedgectl help` lists all'],
  ["status --jsn", "there is no option --jsn; did you mean --json?"],
  ["status -x", "there is no option -x"],
  ["status --json=yes", "--json takes no value"],
  ["status --socket", "--socket needs a value: --socket PATH"],
  ["status --timeout 0", '--timeout: "0" is not a number of seconds from 0 to 3600'],
  ["status now", '"now" is one argument too many for "status"'],
  ["status --free", '"status" does not take --free; see `selvedgectl help status`'],
  ["mirror start web-0", "`selvedgectl mirror start` needs --to TARGET"],
  ["mirror start", "`selvedgectl mirror start` needs an attachment"],
  ["mirror stop", "`selvedgectl mirror stop` needs the name of a mirror"],
  ["mirror list x", "`selvedgectl mirror list` takes no argument"],
  ["mirror start web-0 --to link:up0 --for ever", '--for: "ever" is not a time such as 90s, 10m or 2h'],
  ["trace", '"trace" needs an argument: ATTACHMENT'],
  ["ipam leeks", '"ipam" does not know "leeks"; did you mean "leaks"?'],
  ["ipam zzzzzz", '"ipam" does not know "zzzzzz"; did you mean one of pools, leases, cooldowns, leaks?'],
  ["ipam --free", "--free belongs to `selvedgectl ipam leaks`"],
  ["ipam leaks --pool x", "--pool belongs to `selvedgectl ipam leases` and `selvedgectl ipam cooldowns`"],
];
test.each(USAGE)("selvedgectl %s is refused", async (words, message) => {
  expect(await ctl(words)).toEqual({ out: "", err: `selvedgectl: ${message}\n`, exit: 2, asked: [] });
});

test("no command at all prints the help, as an error", async () => {
  const { out, err, exit } = await ctl("");
  expect({ out, exit }).toEqual({ out: "", exit: 2 });
  expect(err).toBe((await ctl("help")).out);
});

test("help tells every command, and each command's help its options", async () => {
  const { out } = await ctl("--help");
  expect(Object.keys(COMMANDS)).toHaveLength(25);
  for (const [name, { summary, options }] of Object.entries(COMMANDS)) {
    expect(out).toMatch(new RegExp(`^  ${name}\\b.*`, "m"));
    const help = (await ctl(`${name} --help`)).out;
    expect(help.startsWith(`${summary}\n\nUsage: selvedgectl ${name}`)).toBe(true);
    for (const option of Object.keys(options)) expect(help).toContain(`  --${option}`);
  }
  for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});

test("an option's name means the same kind of value in every command", () => {
  const kinds = new Map<string, boolean>();
  for (const { options } of Object.values(COMMANDS))
    for (const [name, { value }] of Object.entries(options)) {
      expect(kinds.get(name) ?? value !== undefined).toBe(value !== undefined);
      kinds.set(name, value !== undefined);
    }
  expect(kinds.size).toBeGreaterThan(3);
});

const JSON_OF: [words: string, fields: string[]][] = [
  ["status", Object.keys(NodeStatus.of())],
  ["attachments", ["attachments"]],
  ["ipam", ["pools"]],
  ["ipam leases", ["leases"]],
  ["ipam cooldowns", ["leases"]],
  ["ipam leaks", ["leaks"]],
  ["ipam leaks --free", ["leaks"]],
  ["trace web-0", ["traceparent", "spans", "key"]],
  ["plan", ["lines"]],
  ["reconcile", ["lines"]],
  ["gc", ["attachments"]],
  ["doctor", ["findings", "types", "features"]],
  ["doctor mtu", ["findings", "unasked"]],
  ["tenants", ["tenants"]],
];
test.each(JSON_OF)("selvedgectl %s --json has its fields", async (words, fields) => {
  const { out } = await ctl(`${words} --json`);
  expect(Object.keys(JSON.parse(out) as object).sort()).toEqual(fields.toSorted());
});

const FAILURES: [error: SelvedgeError, exit: number, err: string][] = [
  [new SelvedgeError({ kind: "not-ready" }, "away", { hint: "Look." }), 3, "selvedgectl: away\nLook.\n"],
  [new SelvedgeError({ kind: "deadline" }, "late"), 3, "selvedgectl: late\n"],
  [new SelvedgeError({ kind: "rpc", status: 13 }, "broken"), 1, "selvedgectl: broken\n"],
];
test.each(FAILURES)("a failure is told: %s", async (error, exit, err) => {
  expect(await ctl("status", new Map([[Admin.getStatus, error]]))).toMatchObject({ out: "", err, exit });
});

test("colours are used when asked for, and only there", async () => {
  expect((await ctl("plan", REPLIES, true)).out).toContain("\u001b[32m+ link svabc123 veth up\u001b[0m");
  expect((await ctl("status", REPLIES, true)).out).toContain("\u001b[32mready\u001b[0m");
});

test("what the daemon tells cannot steer the terminal", async () => {
  const pod = "a/\u001b]0;x\u0007b";
  const replies = new Map([[Admin.listAttachments, AttachmentList.of({ attachments: [Attachment.of({ pod })] })]]);
  expect((await ctl("attachments", replies)).out.split("\n").join("")).not.toMatch(/\p{Cc}/u);
});

test("a table is cut to the terminal where names are long", async () => {
  const long = Attachment.of({ ...ATTACHMENTS[0], pod: `namespace/${"x".repeat(60)}`, network: "n".repeat(40) });
  const replies = new Map([[Admin.listAttachments, AttachmentList.of({ attachments: [long] })]]);
  const { out } = await ctl("attachments", replies, false, 110);
  expect(Math.max(...out.split("\n").map((line) => line.length))).toBe(110);
  expect(out).toContain("…");
  expect(out).toContain("fd42:5e1f:ed9e::2");
});
