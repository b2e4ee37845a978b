/** The part of a router's settings that is about what it serves for the cluster: load balancers, virtual servers, zones. */
import { z } from "zod";
import type { Family } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { choice, choiceMistakes } from "./edge-pods.ts";
import { flag, fullListOf, integer, ip, listOf, matching, oneOf, port, read, setting } from "./leaves.ts";
import { listAt } from "./overlaps.ts";
import { endpointOf, endpointStructure } from "./tenant-schema.ts";
import { sameNames, twice } from "./twice.ts";
import type { Path } from "./yaml.ts";

/** A name that stands in a path of the router after `selvedge-`. */
export const plainName = matching("a name of letters, digits, dashes and underscores", /^[\w-]+$/, 40);
export const endpoint = read(
  'an address and a port such as "10.66.0.5:8443" or "[fd66::5]:8443"',
  endpointOf,
  endpointStructure,
);
/** RFC 1035, section 2.3.4. */
const domain = matching('a domain such as "cluster.local"', /^[\w-]+(\.[\w-]+)*$/, 253);

const servers = {
  servers: setting(
    fullListOf(endpoint, "a list of addresses with ports", "address with its port").optional(),
    "Who answers: `address:port`.",
    "`pods`",
  ),
  pods: setting(
    z
      .strictObject(
        {
          ...choice,
          port: setting(port, "Port of theirs."),
          ready: setting(
            flag.default(true),
            "Only those that Kubernetes does not have as not ready, and that are not being deleted.",
          ),
        },
        { error: "an object such as {namespace: shop, labels: {app: web}, port: 8080}" },
      )
      .optional(),
    "Who answers: these pods.",
    "`servers`",
  ),
} as const;

export const loadBalancer = z.strictObject(
  {
    name: setting(plainName, "Of service and backend, after `selvedge-`."),
    address: setting(ip.optional(), "Address of the router that it listens on.", "all"),
    port: setting(port, "Port that it listens on."),
    ...servers,
  },
  { error: 'an object such as {name: web, port: 80, servers: ["10.66.0.5:8080"]}' },
);

export const virtualServer = z.strictObject(
  {
    name: setting(plainName, "Of the virtual server, after `selvedge-`."),
    address: setting(ip, "Address of the router that is asked."),
    port: setting(port, "Port that is asked."),
    protocol: setting(oneOf("tcp", "udp").default("tcp"), "Transport protocol."),
    algorithm: setting(
      oneOf("round-robin", "least-connection", "source-hashing").default("least-connection"),
      "Who is chosen.",
    ),
    persistenceSeconds: setting(integer(1, 86_400).optional(), "How long a client has the same server.", "VyOS's, 300"),
    ...servers,
  },
  { error: 'an object such as {name: dns, address: 198.51.100.7, port: 53, protocol: udp, servers: ["10.66.0.5:53"]}' },
);

export const zone = z.strictObject(
  {
    domain: setting(domain, "Domain that is forwarded."),
    servers: setting(listOf(ip, "a list of addresses"), "Servers that know it."),
  },
  { error: "an object such as {domain: cluster.local, servers: [10.66.0.10]}" },
);

/** @param path of the router */
export const serviceMistakes = (root: unknown, path: Path): Complaint[] =>
  (["loadBalancers", "virtualServers"] as const).flatMap((kind) => {
    const all = listAt(lookUp(root, path), kind);
    const mistakes = all.flatMap((each, i) => {
      const at = (...more: Path): Path => [...path, kind, i, ...more];
      const ways = (["servers", "pods"] as const).filter((way) => lookUp(each, [way]) !== undefined);
      const own = familyIn(lookUp(each, ["address"]));
      return [
        ...(ways.length === 1 ? [] : [complaint(at(), "needs either `servers` or `pods`")]),
        ...choiceMistakes(root, at("pods")),
        ...(kind === "loadBalancers" ? [] : twice(listAt(each, "servers"), addressIn)).map((j) =>
          complaint(at("servers", j), "has the address of another one, too; a virtual server has one port of each"),
        ),
        ...(kind === "loadBalancers" || own === undefined ? [] : listAt(each, "servers")).flatMap((server, j) => {
          const of = familyIn(server);
          return of === undefined || of === own
            ? []
            : [complaint(at("servers", j), `is IPv${of}, and \`address\` is IPv${own}; both are of one family`)];
        }),
      ];
    });
    return [...sameNames(all, [...path, kind]), ...mistakes];
  });

/** Of `address:port`. */
const addressIn = (server: unknown) => readable(() => endpointOf(server).address);

/** Of an address, a prefix, or an address and a port; undefined for what is another one's complaint. */
export function familyIn(value: unknown): Family | undefined {
  if (typeof value !== "string") return undefined;
  const bare = /^\[(.*)\]:\d+$/.exec(value)?.[1] ?? value.replace(/^([\d.]+):\d+$/, "$1");
  return bare.includes(":") ? 6 : bare.includes(".") ? 4 : undefined;
}
