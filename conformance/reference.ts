/** The reference plugins as subjects: what checks the suite itself. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type JsonObject, type OpenSubject, overlay, type Trait, VERSIONS } from "./subject.ts";

const BUILT = join(import.meta.dirname, "..", ".cache", "reference");
const DEBIAN = "/usr/lib/cni";

/** Where the reference plugins are: the current release where reference.sh has built it, else Debian's. */
export const referenceBin = (): string => (existsSync(join(BUILT, "bridge")) ? BUILT : DEBIAN);

interface Shape {
  readonly name: string;
  readonly traits: readonly Trait[];
  readonly main: JsonObject;
  /** What follows in the chain. */
  readonly chain?: readonly JsonObject[];
}

const subject =
  ({ name, traits, main, chain = [] }: Shape): OpenSubject =>
  async (_node, directory) => {
    const bin = referenceBin();
    const current = bin === BUILT;
    const ipam: JsonObject = {
      type: "host-local",
      dataDir: join(directory, "host-local"),
      ranges: [[{ subnet: "10.88.0.0/16" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    };
    return {
      name,
      traits: current ? [...traits, "gc", "status"] : traits,
      versions: current ? VERSIONS : VERSIONS.slice(0, -1),
      bin,
      // They run iptables and nft by name.
      environment: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      plugins: (wish) => [overlay({ ...main, ipam }, wish), ...chain],
      async [Symbol.asyncDispose]() {},
    };
  };

const COMMON = ["check-link", "dual-stack", "ips", "masquerade", "mtu", "name-taken", "node-to-pod"] as const;
const ports: JsonObject = { type: "portmap", capabilities: { portMappings: true }, snat: true };
const shaper: JsonObject = { type: "bandwidth", capabilities: { bandwidth: true } };

export const REFERENCES: readonly OpenSubject[] = [
  subject({
    name: "reference ptp",
    traits: [...COMMON, "host-ports", "localhost-ports", "routed"],
    main: { type: "ptp", capabilities: { ips: true } },
    chain: [ports],
  }),
  subject({
    name: "reference bridge",
    traits: [...COMMON, "bandwidth", "bridge", "check-routes", "hairpin", "host-ports", "localhost-ports", "mac"],
    main: {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      hairpinMode: true,
      capabilities: { ips: true, mac: true },
    },
    chain: [ports, shaper],
  }),
  subject({
    name: "reference macvlan",
    traits: ["mtu", "name-taken"],
    main: { type: "macvlan", master: "uplink" },
  }),
];
