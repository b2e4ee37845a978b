/** Our own plugin as subjects: the built executable, and a daemon on the node. */
import { join } from "node:path";
import { BUILT, startDaemon } from "./daemon.ts";
import type { Node } from "./node.ts";
import { inside, must, run } from "./program.ts";
import { referenceBin, withoutWaiting } from "./reference.ts";
import {
  type Described,
  type JsonObject,
  overlay,
  type Subject,
  type Trait,
  VERSIONS,
  type Version,
} from "./subject.ts";

const TRAITS = [
  "bandwidth",
  "chained",
  "check-link",
  "check-routes",
  "dual-stack",
  "gc",
  "hairpin",
  "host-end",
  "host-ports",
  "ips",
  "late-del",
  "localhost-ports",
  "mac",
  "masquerade",
  "mtu",
  "name-taken",
  "node-to-pod",
  "own-ipam",
  "planes",
  "reached",
  "result-mtu",
  "route-fields",
  "sctp",
  "selvedge",
  "several",
  "spoof-protection",
  "status",
] as const satisfies readonly Trait[];

const dualStack = (name: string, n: number) => ({
  name,
  ranges: [[{ subnet: `10.${n}.0.0/16` }], [{ subnet: `fd00:${n}::/64` }]],
});

const DAEMON = {
  // Repairs wait, so that what a case breaks is still broken when CHECK looks.
  reconcile: { everySeconds: 3600, debounceMs: 60_000 },
  pools: [dualStack("default", 66), dualStack("control", 89), dualStack("media", 90)],
  // What cases call planes.
  networks: [
    { name: "std" },
    { name: "control", pool: "control" },
    { name: "media", pool: "media", attachment: "bridge", bridge: "media0", options: { isGateway: true } },
  ],
};

/** What chained attachments cannot be asked for: the plugin before makes the link and its addresses. */
const NOT_CHAINED: readonly Trait[] = [
  "check-routes",
  "ips",
  "late-del",
  "mac",
  "own-ipam",
  "planes",
  "result-mtu",
  "route-fields",
];

/** What cannot be asked for where the pod's packets do not pass the node. */
const NOT_ON_A_PARENT: readonly Trait[] = [
  "bandwidth",
  "chained",
  "hairpin",
  "host-end",
  "host-ports",
  "localhost-ports",
  "masquerade",
  // From the pod to the node's own address goes by the wire's gateway, and the suite's wire has none.
  "node-to-pod",
  "sctp",
  "spoof-protection",
];

/** Where the node has no link beside the pod's, nor a route to it. */
const NOT_REACHED: readonly Trait[] = [...NOT_ON_A_PARENT, "planes", "reached"];

/** There are hundreds of ADDs. */
const QUICK: JsonObject = { probes: 1, intervalMs: 10 };

/** The type has no part in what versions differ in. */
const NEWEST = VERSIONS.slice(-1);

interface Shape extends Pick<Described, "kernel"> {
  readonly name: string;
  readonly traits: readonly Trait[];
  readonly versions?: readonly Version[];
  readonly chain: readonly JsonObject[];
  /** Laid over what a case asks for. */
  readonly over?: JsonObject;
  /** A link of the node that many share goes by a repair when nobody uses it any more. */
  readonly sharing?: boolean;
  /** The reference's type stands first. */
  readonly behind?: boolean;
  /** A link of the node that it takes: made anew where a namespace took it along. */
  readonly device?: string;
}

function subject({
  name,
  traits,
  versions = VERSIONS,
  chain,
  over = {},
  sharing = false,
  behind = false,
  device,
  kernel,
}: Shape): Described {
  const [first = {}, ...rest] = chain;
  const open = async (place: Node, directory: string): Promise<Subject> => {
    const { node } = place;
    const enter = (argv: readonly string[]) => inside(node.namespace, argv);
    const daemon = await startDaemon({ enter, directory, config: DAEMON });
    // The second is for the reference plugin that stands before ours.
    const environment = { ...daemon.environment, PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
    const reconcile = async () => {
      await must(enter([join(BUILT, "selvedgectl"), "reconcile"]), { environment });
    };
    return {
      ...(behind ? await withoutWaiting(place) : {}),
      traits,
      versions,
      path: [BUILT, referenceBin()],
      environment,
      plugins: (wish) => [overlay(overlay(first, wish), over), ...rest],
      ...(device === undefined ? {} : { prepare: () => present(place, device) }),
      ...(sharing ? { tidy: reconcile } : {}),
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    };
  };
  return { name, traits, versions, open, ...(kernel === undefined ? {} : { kernel }) };
}

/** A cable whose other end is outside: both ends are gone with either. */
async function present({ node, outside }: Node, device: string): Promise<void> {
  const there = await run(["ip", "-n", node.namespace, "link", "show", "dev", device]);
  if (there.exit === 0) return;
  const cable = ["type", "veth", "peer", "name", device, "netns", outside.namespace];
  await must(["ip", "-n", node.namespace, "link", "add", device, ...cable]);
  await must(["ip", "-n", outside.namespace, "link", "set", device, "up"]);
}

const ranges = [[{ subnet: "10.88.0.0/16" }]];
const routes = [{ dst: "0.0.0.0/0" }];
const ours: JsonObject = {
  type: "selvedge",
  capabilities: {
    bandwidth: true,
    "io.kubernetes.cri.pod-annotations": true,
    ips: true,
    ipRanges: true,
    mac: true,
    portMappings: true,
  },
  ipam: { type: "selvedge", ranges, routes },
};
const bridge: JsonObject = { bridge: "cni0", isGateway: true, hairpinMode: true };

export const OURS: readonly Described[] = [
  subject({ name: "selvedge ptp", traits: [...TRAITS, "routed"], chain: [{ ...ours, attachment: "ptp" }] }),
  subject({
    name: "selvedge bridge",
    traits: [...TRAITS, "bridge"],
    chain: [{ ...ours, ...bridge, attachment: "bridge" }],
  }),
  subject({
    name: "selvedge macvlan",
    sharing: true,
    traits: TRAITS.filter((trait) => !NOT_ON_A_PARENT.includes(trait)),
    chain: [{ ...ours, attachment: "macvlan", master: "uplink", ipMasq: false, duplicateCheck: QUICK }],
  }),
  subject({
    name: "selvedge ipvlan",
    sharing: true,
    kernel: "ipvlan",
    // The MAC is the parent's.
    traits: TRAITS.filter((trait) => !NOT_ON_A_PARENT.includes(trait) && trait !== "mac"),
    versions: NEWEST,
    chain: [{ ...ours, attachment: "ipvlan", master: "uplink", duplicateCheck: QUICK }],
  }),
  subject({
    name: "selvedge vlan",
    sharing: true,
    kernel: "vlan",
    // A link carries each VLAN once.
    traits: TRAITS.filter((trait) => !NOT_REACHED.includes(trait) && trait !== "several"),
    versions: NEWEST,
    chain: [{ ...ours, attachment: "vlan", master: "uplink", vlanId: 100, outerVlanId: 200, duplicateCheck: QUICK }],
  }),
  subject({
    name: "selvedge tap",
    traits: TRAITS.filter((trait) => !NOT_REACHED.includes(trait)),
    versions: NEWEST,
    chain: [{ ...ours, attachment: "tap" }],
    // It would be one in the container.
    over: { bridge: "" },
  }),
  subject({
    name: "selvedge host-device",
    // There is one.
    traits: TRAITS.filter((trait) => !NOT_REACHED.includes(trait) && trait !== "several"),
    versions: NEWEST,
    chain: [{ ...ours, attachment: "host-device", device: "card0", duplicateCheck: QUICK }],
    device: "card0",
  }),
  subject({
    name: "selvedge behind reference ptp",
    traits: TRAITS.filter((trait) => !NOT_CHAINED.includes(trait)),
    // Older results do not say which link to work on.
    versions: VERSIONS.filter((version) => version >= "0.3.0"),
    behind: true,
    chain: [
      { type: "ptp", ipam: { type: "host-local", dataDir: "/run/selvedge/host-local", ranges, routes } },
      { type: "selvedge", spoofProtection: true, capabilities: { bandwidth: true, portMappings: true } },
    ],
  }),
];
