/**
 * The import picture: which folder may import which. The README's folder table is its twin (test/readme.test.ts), and
 * test/imports.test.ts holds every file to it. A folder that is not here does not exist.
 */
export interface Area {
  /** One line for the README. */
  readonly holds: string;
  /** Areas that its files may import besides their own; one file where only its vocabulary is needed. */
  readonly from: readonly string[];
  /** npm packages that its files may import. */
  readonly packages: readonly string[];
  /** Node's own modules that its files may import; absent: any. Decisions have a short list: they touch nothing outside. */
  readonly builtins?: readonly string[];
}

/** What computes and compares, but opens, reads and sends nothing. */
const PURE = ["node:crypto", "node:util"];

export const PICTURE: Readonly<Record<string, Area>> = {
  cmd: {
    holds: "programs: read the outside world once, wire, run. Only here are `process.env` and `process.argv` read",
    from: [
      "lib",
      "lib/api",
      "lib/cni",
      "lib/config",
      "lib/ctl",
      "lib/daemon",
      "lib/delegate",
      "lib/echo",
      "lib/frr",
      "lib/k8s",
      "lib/kernel",
      "lib/store",
      "lib/vyos",
      "native",
    ],
    packages: [],
  },
  proto: {
    holds: "the contract between the plugin, selvedgectl and the daemon, and what is generated from it",
    from: [],
    packages: ["protobufjs", "protobufjs-cli"],
  },
  lib: {
    holds: "address, errors, parse, log, lock, loop, workers: used everywhere, importing only each other",
    from: [],
    packages: ["ip-address"],
    builtins: ["node:timers/promises"],
  },
  "lib/cni": {
    holds: "the CNI specification as code: environment, configuration, results in every version, error codes. Pure",
    from: ["lib"],
    packages: [],
    builtins: PURE,
  },
  "lib/config": {
    holds: "the daemon's configuration: one type, one parse, the defaults. Pure",
    from: ["lib", "lib/attach/kind.ts", "lib/cni/types.ts", "lib/edge/router.ts"],
    packages: ["yaml", "zod"],
    builtins: PURE,
  },
  "lib/state": {
    holds: "the vocabulary: facts, their comparison, the line that prints an operation. Pure",
    from: ["lib"],
    packages: [],
    builtins: PURE,
  },
  "lib/attach": {
    holds: "one folder for each attachment type: `parse` and `desired`. Pure",
    from: ["lib", "lib/cni", "lib/datapath", "lib/state"],
    packages: [],
    builtins: PURE,
  },
  "lib/ipam": {
    holds: "which address: pools, leases, cool-down. Pure",
    from: ["lib", "lib/attach/kind.ts", "lib/cni", "lib/state"],
    packages: [],
    builtins: PURE,
  },
  "lib/datapath": {
    holds:
      "what the node needs as a whole: masquerade, spoof protection, host ports, quality of service, mirrors, ways between nodes. Pure",
    from: ["lib", "lib/cluster/ways.ts", "lib/cni", "lib/state"],
    packages: [],
    builtins: PURE,
  },
  "lib/cluster": {
    holds: "what the nodes of a cluster tell each other, and what follows from it. Pure",
    from: ["lib", "lib/ipam", "lib/state"],
    packages: [],
    builtins: PURE,
  },
  "lib/policy": {
    holds: "who may send to whom: network policies read, decided, and turned into elements of sets. Pure",
    from: ["lib", "lib/state"],
    packages: [],
    builtins: PURE,
  },
  "lib/edge": {
    holds: "what the routers at the edge of the cluster should have, and the way there from what they have. Pure",
    from: ["lib"],
    packages: [],
    builtins: PURE,
  },
  "lib/api": {
    holds: "gRPC over the Unix socket: server, client, and the queue of DELs that waits for the daemon",
    from: ["lib", "lib/cni/types.ts", "proto"],
    packages: ["@grpc/grpc-js", "protobufjs"],
  },
  "lib/k8s": {
    holds:
      "the cluster: where its objects come from (an API server, a directory of manifests), pools of devices offered to kubelet",
    from: ["lib", "lib/api/definition.ts", "proto"],
    packages: ["@grpc/grpc-js", "yaml"],
  },
  "lib/kernel": {
    holds: "Linux: the port, a strict fake, the real one (netlink, nftables, tc, sysctl)",
    from: ["lib", "lib/state", "native"],
    packages: ["koffi"],
  },
  "lib/store": {
    holds:
      "durable state of the node (memory, SQLite), and what the nodes of a cluster share (memory, etcd, Kubernetes by way of `lib/k8s`)",
    from: ["lib", "lib/k8s", "lib/state", "proto"],
    packages: ["@grpc/grpc-js"],
  },
  "lib/vyos": {
    holds: "VyOS routers: the port, a strict fake, the client of their HTTP API",
    from: ["lib", "lib/edge/path.ts", "lib/edge/tree.ts"],
    packages: [],
  },
  "lib/frr": {
    holds: "FRR on the node, which speaks BGP with routers: the port, a fake, the real one",
    from: ["lib"],
    packages: [],
  },
  "lib/delegate": {
    holds: "other CNI plugins as programs, for delegated IPAM",
    from: ["lib", "lib/cni"],
    packages: [],
  },
  "lib/echo": {
    holds: "the echo by which nodes find out whether they reach each other: the port, memory, UDP",
    from: ["lib", "native"],
    packages: [],
  },
  "lib/ctl": {
    holds: "selvedgectl's commands as values, and how their answers are printed",
    from: ["lib", "lib/api", "proto"],
    packages: [],
  },
  "lib/daemon": {
    holds: "joins decisions to ports: verbs, desired state, reconcile, status",
    from: [
      "lib",
      "lib/api",
      "lib/attach",
      "lib/cluster",
      "lib/cni",
      "lib/config",
      "lib/datapath",
      "lib/delegate",
      "lib/echo",
      "lib/edge",
      "lib/frr",
      "lib/ipam",
      "lib/k8s",
      "lib/kernel",
      "lib/policy",
      "lib/state",
      "lib/store",
      "lib/vyos",
      "proto",
    ],
    packages: ["pino"],
  },
  native: {
    holds: "system calls that Node lacks, through FFI; each call enters, does one thing and leaves",
    from: ["lib"],
    packages: ["koffi", "bun:ffi"],
  },
  conformance: {
    holds: "drives built plugins from outside; runs against any CNI plugin",
    from: [],
    packages: [],
  },
  install: {
    holds: "what reaches a machine: set-up, build, the tour, the conflist, manifests",
    from: ["lib/config", "lib/k8s/api/resource.ts"],
    packages: ["yaml"],
  },
  test: {
    holds: "what needs a kernel or a second process; unit tests lie beside their source",
    from: ["*"],
    packages: ["*"],
  },
  bench: {
    holds: "benchmarks against the reference plugins and the kernel's floor",
    from: ["*"],
    packages: ["*"],
  },
};

/** The area of a path relative to the top: `lib/state/diff.ts` is in `lib/state`, `lib/lock.ts` in `lib`. */
export function areaOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  const inside = path.split("/").length > 2;
  return first === "lib" && inside ? `lib/${second}` : first;
}
