/** The part of the configuration's shape that is about the routers at the edge of the cluster. */
import { z } from "zod";
import { SelvedgeError } from "#lib/errors.ts";
import { type Edge, SPEAKER_DIRECTORY, SPEAKER_PROGRAMS } from "./edge.ts";
import { firewall, group } from "./edge-firewall.ts";
import { leg } from "./edge-legs.ts";
import { pair } from "./edge-pairs.ts";
import { secretReference } from "./edge-secrets.ts";
import { endpoint, loadBalancer, plainName, virtualServer, zone } from "./edge-services.ts";
import { shaper, site } from "./edge-sites.ts";
import {
  absolutePath,
  asNumber,
  flag,
  integer,
  ip,
  isText,
  leaf,
  listOf,
  matching,
  name,
  network,
  ofFile,
  oneOf,
  poolNames,
  port,
  read,
  routerLink,
  setting,
  vrfName,
  withTypeOfObject,
} from "./leaves.ts";

/** As the router is called, without what comes after the port. */
function routerUrl(value: unknown): string {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  const isBare =
    url !== undefined &&
    ["", "/"].includes(url.pathname) &&
    `${url.username}${url.password}${url.search}${url.hash}` === "";
  if (!isBare || url.protocol !== "https:" || url.hostname === "")
    throw new SelvedgeError({ kind: "config-invalid", field: "url" }, `${JSON.stringify(value)} is no router's URL`);
  return url.origin;
}

const url = read('a URL such as "https://192.0.2.1" or "https://edge1.example:8443"', routerUrl, {
  type: "string",
  maxLength: 300,
  pattern: "^https://[^/?#@\\s]+/?$",
});

const fingerprint = matching(
  "the 64 hexadecimal digits of a SHA-256, with colons or without",
  /^([0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/,
  95,
);
/** Kubernetes has no word for what is either a flag or a text. */
const bfd = leaf<string | true>("true, or the name of a BFD profile of the router", (v) => v === true || isText(v), {
  "x-kubernetes-preserve-unknown-fields": true,
});
const community = leaf<string>(
  'a community such as "65000:100"',
  (v) => typeof v === "string" && /^\d{1,5}:\d{1,5}$/.test(v) && v.split(":").every((part) => Number(part) <= 65_535),
  { type: "string", maxLength: 11, pattern: "^[0-9]{1,5}:[0-9]{1,5}$" },
);
const NODES_AS = 'an AS number, "external" or "internal"';
const nodesAs = leaf<number | "external" | "internal">(
  NODES_AS,
  (v) => v === "external" || v === "internal" || asNumber.safeParse(v).success,
  {
    "x-kubernetes-int-or-string": true,
    "x-kubernetes-validations": [
      {
        rule: "type(self) == int ? self >= 1 && self <= 4294967294 : self in ['external', 'internal']",
        message: `It must be ${NODES_AS}.`,
      },
    ],
  },
);

const statics = z.strictObject(
  {
    routes: setting(
      oneOf("pools", "blocks").default("pools"),
      "`pools`: each pool as a whole by every living node, which passes on what is another's. `blocks`: each node's part of the pools, and its fixed addresses, by that node.",
    ),
    distance: setting(integer(1, 255).optional(), "Administrative distance.", "VyOS's, 1"),
    bfd: setting(bfd.optional(), "Routes go when the node does not answer BFD.", "no BFD"),
    vrf: setting(vrfName.optional(), "VRF of the router that they are in.", "none"),
  },
  { error: "an object such as {routes: blocks}" },
);

const bgp = z.strictObject(
  {
    as: setting(asNumber, "AS number of the router. Where the router has another one, nothing of this is pushed."),
    nodesAs: setting(nodesAs, "That of the nodes."),
    addresses: setting(
      listOf(ip, "a list of addresses").default([]),
      "Addresses of the router that FRR on the nodes calls: those on a network of the node's, or all. Without any what speaks BGP on the nodes is not Selvedge's.",
    ),
    listen: setting(
      listOf(network, "a list of prefixes").default([]),
      "Prefixes that nodes may call from; without any each node is a neighbour by its address.",
    ),
    password: setting(secretReference.optional(), "Where the password of the sessions is (RFC 2385).", "none"),
    bfd: setting(bfd.optional(), "Sessions end when the node does not answer BFD.", "no BFD"),
    multihop: setting(integer(2, 255).optional(), "Hops to a node that is not on link.", "on link"),
    multipath: setting(integer(1, 256).default(8), "Paths to one destination that are used at the same time."),
    maximumPrefixes: setting(
      integer(1, 4_294_967_295).optional(),
      "More than so many from one node end its session.",
      "no limit",
    ),
    communities: setting(listOf(community, "a list of communities").default([]), "Added to what nodes announce."),
    localPreference: setting(integer(0, 4_294_967_295).optional(), "Of what nodes announce."),
    defaultRoute: setting(flag.default(false), "Nodes are told a default route."),
    vrf: setting(vrfName.optional(), "VRF of the router that the sessions are in.", "none"),
  },
  { error: "an object such as {as: 65000, nodesAs: 65001}" },
);

const nat = z
  .strictObject(
    {
      firstRule: setting(
        integer(1, 990_000).default(5_000),
        "Number of the first NAT rule; this one and the 3,999 after it are Selvedge's.",
      ),
      masquerade: setting(
        listOf(
          z.strictObject(
            {
              interface: setting(routerLink, "By which packets leave."),
              pools: setting(poolNames.optional(), "Whose packets.", "those of the router"),
            },
            { error: "an object such as {interface: eth0}" },
          ),
          "a list of interfaces",
        ).default([]),
        "What leaves by an interface has the router's address; of IPv6, what comes from unique local addresses (fc00::/7).",
      ),
      egress: setting(
        listOf(
          z.strictObject(
            {
              source: setting(network, "Whose packets."),
              address: setting(ip, "What they have instead; an address of the router, or one that leads to it."),
              interface: setting(routerLink, "By which they leave."),
            },
            { error: "an object such as {source: 10.66.9.0/24, address: 198.51.100.9, interface: eth0}" },
          ),
          "a list of addresses",
        ).default([]),
        "What some send has a fixed address outside.",
      ),
      oneToOne: setting(
        listOf(
          z.strictObject(
            {
              outside: setting(ip, "Address outside."),
              inside: setting(ip, "Address of a pod, a fixed one."),
              interface: setting(routerLink, "Between the two."),
            },
            { error: "an object such as {outside: 198.51.100.5, inside: 10.66.9.9, interface: eth0}" },
          ),
          "a list of pairs",
        ).default([]),
        "An address outside that is a pod's, both ways.",
      ),
      publish: setting(
        listOf(
          z.strictObject(
            {
              name: setting(plainName, "For people."),
              interface: setting(routerLink, "By which it is asked for."),
              address: setting(ip.optional(), "Address that is asked.", "any of the router's"),
              protocol: setting(oneOf("tcp", "udp").default("tcp"), "Transport protocol."),
              port: setting(port, "Port that is asked."),
              to: setting(endpoint, "Who answers: `address:port`."),
            },
            { error: 'an object such as {name: web, interface: eth0, port: 443, to: "10.66.0.5:8443"}' },
          ),
          "a list of services",
        ).default([]),
        "Ports outside that lead to an address of the cluster.",
      ),
    },
    { error: "an object such as {masquerade: [{interface: eth0}]}" },
  )
  .prefault({});

export const router = z.strictObject(
  {
    name: ofFile(setting(name, "How `selvedgectl edge` and the history name it.")),
    url: setting(url, "Where its HTTP API is."),
    key: setting(secretReference, "Where the key of its HTTP API is."),
    trust: setting(
      withTypeOfObject(
        z.strictObject(
          {
            ca: ofFile(
              setting(
                absolutePath.optional(),
                "PEM file with the authorities that sign its certificate.",
                "the machine's",
              ),
            ),
            fingerprint: setting(
              fingerprint.optional(),
              "SHA-256 of its certificate, which then counts instead of authority, name and date.",
            ),
          },
          { error: "an object such as {ca: /etc/selvedge/edge-ca.pem}" },
        ),
        'an object such as {fingerprint: "0f:…"}',
      ).default({}),
      "How it is known to be the one that is meant.",
      "by the machine's authorities",
    ),
    probes: setting(
      listOf(endpoint, "a list of addresses with ports").default([]),
      "`address:port` beyond the router, by TCP, whether or not the port is open: when most of those that the writing node reached before a push are not reached `verifySeconds` after it, the push is taken back.",
    ),
    commitSeconds: setting(
      integer(10, 3_600).default(600),
      "How long a commit may take; nginx on the router gives up after 600.",
    ),
    pools: setting(poolNames.default([]), "Pools that are reached by it.", "those of exposed networks"),
    static: setting(statics.optional(), "Static routes to the pods."),
    bgp: setting(bgp.optional(), "BGP sessions with the nodes."),
    nat,
    groups: setting(
      listOf(group, "a list of groups").default([]),
      "Firewall groups, for the operator's own rules, too.",
    ),
    firewall: setting(firewall.optional(), "A chain of rules of our own, for what the router forwards."),
    loadBalancers: setting(
      listOf(loadBalancer, "a list of load balancers").default([]),
      "HAProxy on the router, TCP: connections of its own, which it ends itself.",
    ),
    virtualServers: setting(
      listOf(virtualServer, "a list of virtual servers").default([]),
      "The router's kernel (IPVS), TCP and UDP: packets keep who sent them, and answers must come back by the router.",
    ),
    zones: setting(
      listOf(zone, "a list of zones").default([]),
      "What the router's DNS forwarding, which its operator sets up, passes on.",
    ),
    vrfs: setting(
      listOf(
        z.strictObject(
          {
            name: setting(vrfName, "Of the VRF."),
            table: setting(
              integer(100, 65_535).optional(),
              "Its routing table, which cannot be another later.",
              "the VRF is the router's own",
            ),
            pools: setting(
              poolNames.default([]),
              "Pools whose static routes are in this VRF, and not where `static.vrf` says. Nodes are reached where that says.",
            ),
            leaks: setting(
              listOf(vrfName, "a list of VRFs").default([]),
              "VRFs that lead where this one does, by `static`, `bgp` or `legs`; `default` is the router's own table.",
            ),
          },
          { error: "an object such as {name: PODS, table: 1001}" },
        ),
        "a list of VRFs",
      ).default([]),
      "VRFs that Selvedge makes, or puts routes into; others may be named, too.",
    ),
    shapers: setting(listOf(shaper, "a list of shapers").default([]), "Shares of what leaves by an interface."),
    sites: setting(listOf(site, "a list of sites").default([]), "Other clusters, behind tunnels."),
    legs: setting(listOf(leg, "a list of legs").default([]), "Ends of tunnels into tenants' networks."),
  },
  { error: "an object such as {name: edge1, url: https://192.0.2.1, key: {file: /etc/selvedge/edge1.key}}" },
);

export const edge = z.strictObject(
  {
    routers: setting(listOf(router, "a list of routers").default([]), "VyOS routers that follow the cluster."),
    pairs: setting(
      listOf(pair, "a list of pairs").default([]),
      "Two routers with addresses that one of them has at a time (VRRP).",
    ),
    windowMs: setting(
      integer(0, 5_000).default(1_000),
      "How long changes of the cluster are gathered before they are pushed.",
    ),
    driftSeconds: setting(
      integer(5, 86_400).default(60),
      "How often a router is looked at though nothing has changed.",
    ),
    onDrift: setting(
      oneOf("repair", "report").default("repair"),
      "What happens when somebody else has changed what is Selvedge's.",
    ),
    deleteLimit: z
      .strictObject(
        {
          percent: setting(
            integer(0, 100).default(20),
            "A push that takes away more than this share of what is Selvedge's, and",
          ),
          paths: setting(
            integer(0, 1_000_000).default(50),
            "more than so many paths, waits for `selvedgectl edge apply`.",
          ),
        },
        { error: "an object such as {percent: 20, paths: 50}" },
      )
      .prefault({}),
    confirmMinutes: setting(
      integer(0, 60).default(5),
      "From VyOS 1.5 on a router takes a push back by itself after so long unless it can still be read after it; only with `set system config-management commit-confirm action reload`, because it would reboot otherwise. 0: never.",
    ),
    verifySeconds: setting(
      integer(0, 600).default(30),
      "When more than half of the BGP sessions or static routes that a router used are still gone so long after a push, the push is taken back and the router is paused. 0: nobody looks.",
    ),
    speaker: z
      .strictObject(
        {
          port: setting(
            integer(0, 65_535).default(179),
            "TCP port that FRR on the node listens on; 0: it calls routers, and is not called.",
          ),
          holdSeconds: setting(
            integer(3, 65_535).default(9),
            "A router, or a node, that is silent for so long is gone; BFD is faster.",
          ),
          restartSeconds: setting(
            integer(0, 4_095).optional(),
            "How long routers keep the routes of a node whose FRR starts again (RFC 4724), which is as long as they believe one that is dead, BFD or not. 0: not at all.",
            "20, and 0 for routers with BFD",
          ),
          directory: setting(
            absolutePath.default(SPEAKER_DIRECTORY),
            "Of its sockets and its configuration: `vtysh --vty_socket` takes it.",
          ),
          programs: setting(absolutePath.default(SPEAKER_PROGRAMS), "Directory of FRR's programs."),
        },
        { error: "an object such as {holdSeconds: 9}" },
      )
      .prefault({}),
    dryRun: setting(flag.default(false), "Nothing is pushed; `selvedgectl edge plan` shows what would be."),
  },
  { error: "an object such as {routers: []}" },
);

/** Of a node that hears of routers from Kubernetes alone. */
export const EDGE_DEFAULTS: z.output<typeof edge> = edge.parse({});

/** The same without what is absent. */
export const edgeOf = (shape: z.output<typeof edge>): Edge => present(shape) as Edge;

function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, of]: [string, unknown]) => (of === undefined ? [] : [[key, present(of)]])),
  );
}
