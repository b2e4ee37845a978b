/** The reference plugins as subjects: what checks the suite itself. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { trustAddresses } from "./namespace.ts";
import type { Node } from "./node.ts";
import {
  type Described,
  type JsonObject,
  overlay,
  type Subject,
  type Trait,
  VERSIONS,
  type Version,
} from "./subject.ts";

const BUILT = join(import.meta.dirname, "..", ".cache", "reference");
const DEBIAN = "/usr/lib/cni";

/** Where the reference plugins are: the current release where reference.sh has built it, else Debian's. */
export const referenceBin = (): string => (existsSync(join(BUILT, "bridge")) ? BUILT : DEBIAN);

interface Shape {
  readonly name: string;
  readonly traits: readonly Trait[];
  readonly main: JsonObject;
  /** The first version of all of its plugins, where that is not 0.1.0. */
  readonly since?: Version;
  /** What follows in the chain. */
  readonly chain?: readonly JsonObject[];
}

/** It waits until duplicate detection is over, a second or two for each address: there is none. */
export async function withoutWaiting(node: Node): Promise<Pick<Subject, "house">> {
  await trustAddresses(node.node.namespace);
  return { house: trustAddresses };
}

function subject({ name, traits: own, main, since = "0.1.0", chain = [] }: Shape): Described {
  const bin = referenceBin();
  const current = bin === BUILT;
  const traits: readonly Trait[] = current ? [...own, "gc", "status"] : own;
  const spoken = current ? VERSIONS : VERSIONS.slice(0, -1);
  const versions = spoken.filter((version) => version >= since);
  const open = async (node: Node, directory: string): Promise<Subject> => {
    const ipam: JsonObject = {
      type: "host-local",
      dataDir: join(directory, "host-local"),
      ranges: [[{ subnet: "10.88.0.0/16" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    };
    return {
      ...(await withoutWaiting(node)),
      traits,
      versions,
      path: [bin],
      // They run iptables and nft by name.
      environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      plugins: (wish) => [overlay({ ...main, ipam }, wish), ...chain],
      async [Symbol.asyncDispose]() {},
    };
  };
  return { name, traits, versions, open };
}

const COMMON = [
  "check-link",
  "dual-stack",
  "ips",
  "masquerade",
  "mtu",
  "name-taken",
  "node-to-pod",
  "reached",
  "several",
] as const;
const ports: JsonObject = { type: "portmap", capabilities: { portMappings: true }, snat: true };
const shaper: JsonObject = { type: "bandwidth", capabilities: { bandwidth: true } };

export const REFERENCES: readonly Described[] = [
  subject({
    name: "reference ptp",
    traits: [...COMMON, "host-ports", "localhost-ports", "routed"],
    main: { type: "ptp", capabilities: { ipRanges: true, ips: true } },
    chain: [ports],
  }),
  subject({
    name: "reference bridge",
    traits: [...COMMON, "bandwidth", "bridge", "check-routes", "hairpin", "host-ports", "localhost-ports", "mac"],
    since: "0.3.0",
    main: {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      hairpinMode: true,
      capabilities: { ipRanges: true, ips: true, mac: true },
    },
    chain: [ports, shaper],
  }),
  subject({
    name: "reference macvlan",
    traits: ["mtu", "name-taken", "several"],
    main: { type: "macvlan", master: "uplink" },
  }),
];
