/**
 * The shape of the daemon's configuration: every setting with its type, its default and its meaning, once. The parser,
 * the TypeScript type and the README's table all come from here.
 */
import { z } from "zod";
import { address, mac, prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";

/** What the README says of a setting; `type` also completes the sentence "… is not". */
interface Meaning {
  readonly type: string;
  readonly meaning: string;
  /** Shown instead of the default's JSON. */
  readonly shown?: string;
}

const setting = <S extends z.ZodType>(schema: S, meaning: string, shown?: string): S => {
  const inherited = (z.globalRegistry.get(inner(schema)) ?? {}) as Partial<Meaning>;
  return schema.meta({ type: inherited.type ?? "", meaning, ...(shown === undefined ? {} : { shown }) });
};

/** The schema without what says that it may be left out. */
export function inner(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return inner(schema.unwrap() as z.ZodType);
  // An object that may be abbreviated: what is read first is turned into the object.
  if (schema instanceof z.ZodPipe && schema.out instanceof z.ZodObject) return schema.out;
  return schema;
}

/** A leaf: a test, and what the value should be when it fails. */
const leaf = <T>(type: string, holds: (value: unknown) => boolean) =>
  z.custom<T>(holds, { error: type }).meta({ type });

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const integer = (min: number, max: number) =>
  leaf<number>(
    `a whole number from ${min} to ${max}`,
    (v) => typeof v === "number" && Number.isSafeInteger(v) && v >= min && v <= max,
  );
const oneOf = <T extends string>(...words: readonly T[]) =>
  leaf<T>(words.map((word) => `"${word}"`).join(" or "), (v) => words.some((word) => word === v));
const flag = leaf<boolean>("true or false", (v) => typeof v === "boolean");
const words = leaf<string>("a text", isText);
const absolutePath = leaf<string>("an absolute path", (v) => isText(v) && v.startsWith("/"));
const isName = (v: unknown): v is string => typeof v === "string" && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(v);
const name = leaf<string>("a name of letters, digits, dots, dashes and underscores", isName);
/** linux/if.h, IFNAMSIZ (v6.12). */
const link = leaf<string>("a link name of 1 to 15 bytes", (v) => isText(v) && /^[^/:\s]{1,15}$/.test(v));

/** A leaf that lib/address.ts reads, so that what comes out is canonical. */
const read = <T>(type: string, parse: (value: unknown) => T) =>
  z
    .unknown()
    .transform((value, context) => {
      try {
        return parse(value);
      } catch (error) {
        if (!(error instanceof SelvedgeError)) throw error;
        context.addIssue({ code: "custom", message: type });
        return z.NEVER;
      }
    })
    .meta({ type });
const cidr = read('a prefix such as "10.1.0.0/16" or "fd00::/64"', prefix);
const hardware = read('a unicast MAC address such as "02:00:00:00:00:01"', mac);
const ip = read('an address such as "10.1.0.5" or "fd00::5"', address);

const listOf = <S extends z.ZodType>(member: S, type: string) => z.array(member, { error: type }).meta({ type });
const cidrs = listOf(cidr, "a list of prefixes");
const mtu = integer(576, 65_535);
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

const texts = listOf(words, "a list of texts");
const dns = z.strictObject(
  {
    nameservers: setting(texts.optional(), "Addresses of name servers."),
    domain: setting(words.optional(), "Local domain."),
    search: setting(texts.optional(), "Domains to search."),
    options: setting(texts.optional(), "Options of the resolver."),
  },
  { error: "an object such as {nameservers: [10.0.0.2]}" },
);

const pool = z.strictObject(
  {
    name: setting(name, "How networks and configuration lists name the pool."),
    ranges: setting(
      leaf<unknown>("a list of lists of ranges, as in host-local", (v) => Array.isArray(v) && v.length > 0),
      "One list for each address that a pod gets (so a dual-stack pool has two); a list's ranges " +
        "`{subnet, rangeStart, rangeEnd, gateway}` are used in turn.",
    ),
    exclude: setting(cidrs.default([]), "Prefixes inside the ranges that are never handed out unless asked for."),
    keepAddress: setting(flag.default(false), "The first address of a pod is kept for its name until it is released."),
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

const texted = leaf<Record<string, string>>(
  "an object whose values are texts",
  (v) =>
    typeof v === "object" &&
    v !== null &&
    !Array.isArray(v) &&
    Object.values(v).every((each) => typeof each === "string"),
);
const planeRule = z.strictObject(
  {
    namespace: setting(words.optional(), "Kubernetes namespace of the pod; `*` stands for any letters."),
    pod: setting(words.optional(), "Name of the pod; `*` stands for any letters."),
    labels: setting(texted.optional(), "Labels that the pod has, all of them."),
    annotations: setting(texted.optional(), "Annotations that the pod has, all of them."),
    planes: setting(planes, "The planes that such a pod gets."),
  },
  { error: "an object such as {namespace: telco, planes: [control]}" },
);

const network = z.strictObject(
  {
    name: setting(name, 'What `{"type": "selvedge", "network": …}` names.'),
    attachment: setting(attachment.optional(), "As `defaults.attachment`, for this network."),
    parent: setting(
      link.optional(),
      "Link of the node that carries the attachment, where the type has one (`master`).",
    ),
    bridge: setting(link.optional(), "Bridge, where the type is on one."),
    vlan: setting(integer(1, 4_094).optional(), "VLAN, where the type has one."),
    pool: setting(name.optional(), "Pool that its addresses come from.", "`defaultPool`"),
    keepAddress: setting(flag.optional(), "As `pools[].keepAddress`, for this network.", "that of the pool"),
    mtu: setting(mtu.optional(), "As `defaults.mtu`."),
    ipMasq: setting(flag.optional(), "As `defaults.ipMasq`."),
    spoofProtection: setting(flag.optional(), "As `defaults.spoofProtection`."),
    routes: setting(listOf(route, "a list of routes").default([]), "Routes of every pod, with CNI's field names."),
    dns: setting(dns.default({}), "`dns` of the CNI result."),
    planes: setting(planes.default([]), "Further networks that its pods are on, each by an interface of its own."),
    policyRouting: setting(
      flag.optional(),
      "Replies leave by the interface that they came in on, also when a runtime attaches the pod to each network on its own.",
      "`true` for planes",
    ),
    options: setting(
      leaf<Record<string, unknown>>(
        "an object",
        (v) => typeof v === "object" && v !== null && !Array.isArray(v),
      ).default({}),
      "Settings of the attachment type, named as in a CNI configuration (`bridge`, `hairpinMode`, …).",
    ),
  },
  { error: "an object such as {name: media, pool: media}" },
);

const reservedName = leaf<string>(
  'a name such as "default/db-0" or "vm:db"',
  (v) => typeof v === "string" && /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,317}$/.test(v),
);
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
    network: setting(name.optional(), "Network that is attached to.", "any"),
    namespace: planeRule.shape.namespace,
    pod: planeRule.shape.pod,
    labels: planeRule.shape.labels,
    annotations: planeRule.shape.annotations,
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
      listOf(pool, "a list of pools").default([
        { name: "default", ranges: DEFAULT_RANGES, exclude: [], keepAddress: false },
      ]),
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
        integer(0, 5_000).default(100),
        "How long changes by others are gathered before the comparison.",
      ),
    }),
  },
  { error: "an object" },
);

export type Shape = z.output<typeof SCHEMA>;
