import { expect, test } from "@jest/globals";
import { Admin, Diagnosis, type Method, MtuReport, NodeStatus } from "#proto/selvedge_pb.ts";
import { ctl, ID, MTUS } from "./canned-node.ts";

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

test("a node that goes on with what it knew is ready, and says what it does not hear of", async () => {
  const node = NodeStatus.of({ version: "0.1.0", ready: true, stale: ["API server: no answer within 30 s"] });
  const { out, exit } = await ctl("status", new Map([[Admin.getStatus, node]]));
  expect(out.split("\n").slice(0, 2)).toEqual(["selvedged 0.1.0: ready", "  stale API server: no answer within 30 s"]);
  expect(exit).toBe(0);
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
