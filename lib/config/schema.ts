/**
 * The shape of the daemon's configuration: every setting with its type, its default and its meaning, once. The parser,
 * the TypeScript type and the README's table all come from here.
 */
import { z } from "zod";
import { reservationName, root } from "#lib/parse.ts";
import { DSCP_TEXT, dscp, PRIORITY, RATE } from "#lib/qos.ts";
import { cluster } from "./cluster-schema.ts";
import { edge } from "./edge-schema.ts";
import { kubernetes } from "./kubernetes-schema.ts";
import {
  absolutePath,
  cidr,
  cidrStructure,
  cidrs,
  dns,
  flag,
  hardware,
  integer,
  ip,
  ipStructure,
  isName,
  isText,
  leaf,
  link,
  listOf,
  mtu,
  name,
  ofFile,
  oneOf,
  poolNames,
  read,
  type Structure,
  setting,
  words,
} from "./leaves.ts";
import { podRule } from "./pod-rule.ts";
import { policies } from "./policy-schema.ts";
import { encapsulation, routers, stretch, tenant } from "./tenant-schema.ts";

/** lib/attach has the types; a test holds the two lists together. */
export const ATTACHMENTS = [
  "ptp",
  "bridge",
  "macvlan",
  "ipvlan",
  "vlan",
  "host-device",
  "sriov",
  "tap",
  "loopback",
] as const;
const attachment = oneOf(...ATTACHMENTS);

const route = z.strictObject(
  {
    dst: setting(cidr, "Destination."),
    gw: setting(ip.optional(), "Gateway; the pool's by default."),
    mtu: setting(mtu.optional(), "MTU of the route, bytes."),
    advmss: setting(integer(1, 65_535).optional(), "Advertised maximum segment size, bytes."),
    priority: setting(integer(0, 0xffff_ffff).optional(), "Metric."),
    table: setting(integer(1, 0xffff_ffff).optional(), "Routing table; main by default."),
    scope: setting(integer(0, 255).optional(), "Scope, as linux/rtnetlink.h numbers it."),
  },
  { error: "an object such as {dst: 10.0.0.0/8}" },
);

/** As lib/ipam reads them. */
const RANGES: Structure = {
  type: "array",
  minItems: 1,
  maxItems: 8,
  items: {
    type: "array",
    minItems: 1,
    maxItems: 64,
    items: {
      type: "object",
      required: ["subnet"],
      properties: {
        subnet: { ...cidrStructure, description: "Network that the addresses are of." },
        rangeStart: { ...ipStructure, description: "The first that is handed out." },
        rangeEnd: { ...ipStructure, description: "The last that is handed out." },
        gateway: { ...ipStructure, description: "Of the network; the first of its addresses by default." },
      },
    },
  },
};

const blockSize = z
  .strictObject(
    {
      4: setting(
        integer(16, 32).default(26),
        "Prefix length of the IPv4 blocks that the nodes of a cluster take of it.",
      ),
      6: setting(integer(112, 128).default(122), "The same of the IPv6 blocks."),
    },
    { error: "an object such as {4: 26, 6: 122}" },
  )
  .prefault({});

export const pool = z.strictObject(
  {
    name: ofFile(setting(name, "How networks and configuration lists name the pool.")),
    ranges: setting(
      leaf<unknown>("a list of lists of ranges, as in host-local", (v) => Array.isArray(v) && v.length > 0, RANGES),
      "One list for each address that a pod gets (so a dual-stack pool has two); a list's ranges " +
        "`{subnet, rangeStart, rangeEnd, gateway}` are used in turn.",
    ),
    exclude: setting(cidrs.default([]), "Prefixes inside the ranges that are never handed out unless asked for."),
    keepAddress: setting(flag.default(false), "The first address of a pod is kept for its name until it is released."),
    blockSize,
  },
  { error: "an object such as {name: std, ranges: [[{subnet: 10.1.0.0/16}]]}" },
);

/** A network's name alone is short for an object. */
const plane = z.preprocess(
  (value) => (isName(value) ? { network: value } : value),
  z.strictObject(
    {
      network: setting(name, "Network that the plane is on."),
      interface: setting(link.optional(), "Name of its interface in the pod.", "the network's name"),
      defaultRoute: setting(flag.optional(), "The pod's default route leads here; by default it is the first plane's."),
    },
    { error: "the name of a network, or an object such as {network: media, interface: m0}" },
  ),
);
const planes = listOf(plane, "a list of planes, such as [control, media]");

const planeRule = z.strictObject(
  {
    ...podRule,
    planes: setting(planes, "The planes that such a pod gets."),
  },
  { error: "an object such as {namespace: telco, planes: [control]}" },
);

const bitRate = integer(RATE.min, RATE.max);
const qos = z.strictObject(
  {
    dscp: setting(
      read(DSCP_TEXT, (value) => dscp(root(value)), { "x-kubernetes-int-or-string": true }).optional(),
      "Code point of what a pod sends, whatever the pod wrote.",
    ),
    priority: setting(
      integer(PRIORITY.min, PRIORITY.max).optional(),
      "Priority of what a pod sends in the node's queues: 0 is best effort, 1 the lowest, 7 the highest.",
      "follows from `dscp`",
    ),
    ingressRate: setting(bitRate.optional(), "Bits per second into a pod, where the runtime names none."),
    egressRate: setting(bitRate.optional(), "Bits per second out of a pod, where the runtime names none."),
  },
  { error: "an object such as {dscp: EF, egressRate: 10000000}" },
);
const podQos = z.strictObject(
  {
    ingressRate: setting(bitRate.optional(), "Bits per second into the pod."),
    egressRate: setting(bitRate.optional(), "Bits per second out of the pod."),
  },
  { error: "an object such as {egressRate: 50000000}" },
);

export const network = z.strictObject(
  {
    name: ofFile(setting(name, 'What `{"type": "selvedge", "network": …}` names.')),
    attachment: setting(attachment.optional(), "As `defaults.attachment`, for this network."),
    parent: setting(
      link.optional(),
      "Link of the node that carries the attachment, where the type has one (`master`).",
    ),
    bridge: setting(link.optional(), "Bridge, where the type is on one."),
    vlan: setting(integer(1, 4_094).optional(), "VLAN, where the type has one."),
    pool: setting(name.optional(), "Pool that its addresses come from.", "`defaultPool`"),
    pools: setting(
      poolNames.optional(),
      "In place of `pool`: several, of which each family's address comes from the first that has one free.",
    ),
    keepAddress: setting(flag.optional(), "As `pools[].keepAddress`, for this network.", "that of the pool"),
    mtu: setting(mtu.optional(), "As `defaults.mtu`."),
    ipMasq: setting(flag.optional(), "As `defaults.ipMasq`."),
    spoofProtection: setting(flag.optional(), "As `defaults.spoofProtection`."),
    qos: setting(qos.optional(), "What the packets of its pods get; a CNI configuration's `qos` wins field by field."),
    podQos: setting(
      podQos.optional(),
      "What all interfaces of a pod may take together, where this is its own network; the pod's annotation `selvedge.dev/pod-qos` wins.",
    ),
    routes: setting(listOf(route, "a list of routes").default([]), "Routes of every pod, with CNI's field names."),
    dns: setting(dns.default({}), "`dns` of the CNI result."),
    planes: setting(planes.default([]), "Further networks that its pods are on, each by an interface of its own."),
    tenant: setting(
      name.optional(),
      "Tenant whose network it is: its addresses may be those of other tenants' networks.",
    ),
    reportProbeAddress: setting(
      flag.default(false),
      "For a tenant's network: the CNI result names the pod's probe address first, so that a kubelet probes it there.",
    ),
    encapsulation: ofFile(
      setting(encapsulation.optional(), "For a tenant's bridge: one segment with that of other nodes."),
    ),
    stretch: ofFile(
      setting(
        stretch.optional(),
        "For a bridge: one segment on all nodes of the cluster, without anything that is meant for everybody.",
      ),
    ),
    expose: setting(
      flag.default(false),
      "Its addresses are known beyond the nodes: edge routers lead there. `selvedgectl networks` shows which are.",
    ),
    namespaces: setting(
      listOf(words, "a list of texts").optional(),
      "Kubernetes namespaces whose pods may join it by annotation; `*` stands for any letters.",
      "any; none for a tenant's network",
    ),
    policyRouting: setting(
      flag.optional(),
      "Replies leave by the interface that they came in on, also when a runtime attaches the pod to each network on its own.",
      "`true` for planes",
    ),
    options: setting(
      leaf<Record<string, unknown>>("an object", (v) => typeof v === "object" && v !== null && !Array.isArray(v), {
        type: "object",
        "x-kubernetes-preserve-unknown-fields": true,
      }).default({}),
      "Settings of the attachment type, named as in a CNI configuration (`bridge`, `hairpinMode`, …).",
    ),
  },
  { error: "an object such as {name: media, pool: media}" },
);

const reservedName = read('a name such as "default/db-0" or "vm:db"', (value) => reservationName({ path: "", value }));
const reservation = z.strictObject(
  {
    name: setting(reservedName, "For whom: `namespace/pod`, or a name that an attachment says it goes by."),
    pool: setting(name.optional(), "Pool of the addresses.", "`defaultPool`"),
    addresses: setting(
      z
        .array(ip, { error: "a list of addresses" })
        .min(1, { error: "a list of at least one address" })
        .meta({ type: "a list of addresses" }),
      "At most one for each of the pool's lists of ranges; of the others it gets what is free.",
    ),
    mac: setting(hardware.optional(), "MAC of the pod's interface.", "as without a reservation"),
  },
  { error: "an object such as {name: default/db-0, addresses: [10.1.0.5]}" },
);

const poolRule = z.strictObject(
  {
    network: setting(name.optional(), "Network that is attached to.", "any, but for further planes"),
    ...podRule,
    pool: setting(name, "Pool that such a pod's addresses come from."),
  },
  { error: "an object such as {namespace: db, pool: db}" },
);

const hexId = leaf<string>('four hexadecimal digits such as "8086"', (v) => isText(v) && /^[0-9a-f]{4}$/.test(v));
const devicePool = z.strictObject(
  {
    name: setting(name, "What an attachment's `devicePool` names; kubelet sees it as `<resourcePrefix>/<name>`."),
    physical: setting(
      listOf(words, "a list of texts").default([]),
      "Physical functions by link or PCI address; all that fit the rest when there are none.",
    ),
    vendor: setting(hexId.optional(), "PCI vendor of the physical functions."),
    product: setting(hexId.optional(), "PCI device id of the physical functions."),
    driver: setting(words.optional(), "Driver of the physical functions."),
    virtualFunctions: setting(
      integer(0, 65_535).optional(),
      "How many virtual functions each is made to have, when the daemon starts and none is in use.",
      "as many as there are",
    ),
  },
  { error: "an object such as {name: fast, physical: [ens1f0], virtualFunctions: 8}" },
);

const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, { error: "an object" }).prefault({} as never);

/** 10.66.0.0/16 is seldom used; fd42:5e1f:ed9e::/48 is a unique local prefix of RFC 4193. */
const DEFAULT_RANGES = [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd42:5e1f:ed9e::/64" }]];

/** Those of a file that speaks of none. */
export const DEFAULT_POOLS = [
  { name: "default", ranges: DEFAULT_RANGES, exclude: [], keepAddress: false, blockSize: { 4: 26, 6: 122 } },
];

export const SCHEMA = z.strictObject(
  {
    socket: setting(
      absolutePath.default("/run/selvedge/selvedged.sock"),
      "Unix socket of the daemon; the plugin and selvedgectl take theirs from `SELVEDGE_SOCKET`.",
    ),
    stateDir: setting(absolutePath.default("/var/lib/selvedge"), "Directory of the durable state."),
    queueDirs: setting(
      listOf(absolutePath, "a list of absolute paths").default(["/var/lib/selvedge/queue", "/run/selvedge/queue"]),
      "Where the plugin leaves DELs while the daemon is away; `SELVEDGE_QUEUE` tells the plugin.",
    ),
    log: section({
      level: setting(oneOf("debug", "info", "warn", "error").default("info"), "Least serious event that is logged."),
    }),
    workers: setting(integer(1, 256).default(8), "Verbs that may run at the same time."),
    queueLimit: setting(integer(1, 100_000).default(2_000), "Verbs that may wait; more are refused with code 11."),
    shutdownSeconds: setting(integer(0, 300).default(8), "How long running verbs may take to finish after SIGTERM."),
    ipam: section({
      coolDownSeconds: setting(
        integer(0, 86_400).default(130),
        "How long a released address stays unused; 130 s outlives conntrack's TIME_WAIT and a stale ARP entry.",
      ),
    }),
    pools: setting(
      listOf(pool, "a list of pools").default(DEFAULT_POOLS),
      "Where addresses come from.",
      "one pool `default` with 10.66.0.0/16 and fd42:5e1f:ed9e::/64",
    ),
    poolRules: setting(
      listOf(poolRule, "a list of rules").default([]),
      "Pools by pod: the first rule that fits wins over the network's pool.",
    ),
    reservations: setting(
      listOf(reservation, "a list of reservations").default([]),
      "Addresses that are kept for a name; others are made with `selvedgectl reserve`.",
    ),
    defaultPool: setting(name.default("default"), "Pool of networks that name none."),
    defaults: section({
      attachment: setting(attachment.default("ptp"), "How pods are attached; see the attachment types."),
      mtu: setting(mtu.optional(), "MTU of pods' links, bytes.", "that of the node's default route"),
      ipMasq: setting(flag.default(true), "Pods leave the node with the node's address."),
      spoofProtection: setting(flag.default(true), "Pods send only from their own MAC and addresses."),
    }),
    networks: setting(listOf(network, "a list of networks").default([]), "Named networks."),
    planeRules: setting(
      listOf(planeRule, "a list of rules").default([]),
      "Which pods get which planes where neither the pod's annotation nor the network says; the first rule that holds counts.",
    ),
    sriov: section({
      pools: setting(listOf(devicePool, "a list of pools").default([]), "Virtual functions that attachments may take."),
      resourcePrefix: setting(words.default("selvedge.dev"), "Of the names under which kubelet is offered the pools."),
      kubeletDir: setting(
        absolutePath.optional(),
        "Where kubelet's device plugins meet, `/var/lib/kubelet/device-plugins`.",
        "the pools are not offered to kubelet",
      ),
    }),
    tenants: setting(
      listOf(tenant, "a list of tenants").default([]),
      "Each has a router of its own on the node: a network namespace.",
    ),
    routers: section(routers),
    cluster: setting(
      cluster.optional(),
      "The nodes that this one shares pools and pods' traffic with.",
      "none: one node",
    ),
    edge: setting(
      edge.optional(),
      "The routers at the edge of the cluster.",
      "none; with `kubernetes.resources` those that are its objects",
    ),
    kubernetes: setting(
      kubernetes.optional(),
      "The API server that pods, namespaces and policies are heard from.",
      "none",
    ),
    policies: setting(policies.optional(), "Network policies.", "those of `kubernetes`, if that is there"),
    attachmentDefinitions: setting(
      flag.default(false),
      "Pods' annotation `k8s.v1.cni.cncf.io/networks` counts, and NetworkAttachmentDefinitions are heard from where policies are.",
    ),
    noMasquerade: setting(cidrs.default([]), "Destinations that pods reach with their own address, besides all pools."),
    routerAdvertisedLinks: setting(
      listOf(link, "a list of link names").default([]),
      "Links whose IPv6 router advertisements count although the node forwards.",
    ),
    reconcile: section({
      everySeconds: setting(
        integer(1, 3_600).default(30),
        "The node is compared with its desired state at least so often.",
      ),
      debounceMs: setting(
        integer(0, 60_000).default(100),
        "How long changes by others are gathered before the comparison.",
      ),
    }),
  },
  { error: "an object" },
);

export type Shape = z.output<typeof SCHEMA>;
