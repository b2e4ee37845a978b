/**
 * Every line that the daemon can log: one name, one shape. Logs go through this union and nothing else, so that a
 * dashboard can rely on the names and tests assert on events instead of prose.
 */
export type Event =
  | { event: "starting"; version: string; pid: number; config: string; socket: string; store: string }
  | { event: "serving"; socket: string; attachments: number; tookMs: number }
  | { event: "stopping"; signal: string; running: number }
  | { event: "stopped"; tookMs: number }
  | {
      event: "attached";
      container: string;
      ifname: string;
      network: string;
      addresses: readonly string[];
      /** PCI addresses, RDMA devices, device nodes. */
      devices?: readonly string[];
      tookMs: number;
      traceparent?: string;
    }
  | { event: "detached"; container: string; ifname: string; network: string; tookMs: number; known: boolean }
  | { event: "checked"; container: string; ifname: string; differences: number; tookMs: number }
  | { event: "collected"; network: string; removed: number; tookMs: number }
  | { event: "refused"; verb: string; container: string; ifname: string; kind: string; message: string; tookMs: number }
  | { event: "failed"; verb: string; container: string; ifname: string; message: string; stack: string }
  | {
      event: "replayed";
      entry: string;
      container: string;
      ifname: string;
      outcome: "done" | "skipped" | "unreadable" | "failed";
      message: string;
    }
  | { event: "drift"; container: string; ifname: string; lines: readonly string[] }
  | { event: "repaired"; lines: readonly string[]; count: number; tookMs: number }
  | { event: "repair-failed"; container: string; ifname: string; message: string }
  | { event: "namespace-gone"; container: string; ifname: string; network: string }
  | { event: "duplicate-address"; container: string; ifname: string; network: string; address: string; mac: string }
  | { event: "block-lost"; pool: string; prefix: string; used: number }
  | { event: "block-inherited"; pool: string; prefix: string; node: string; uid: string }
  | { event: "fixed-lost"; pool: string; address: string; name: string }
  | { event: "blocks-failed"; message: string }
  | { event: "reservation-displaced"; pool: string; name: string; addresses: readonly string[] }
  | { event: "mirror-started"; container: string; ifname: string; mirror: string; to: string; until: string }
  | { event: "mirror-ended"; container: string; ifname: string; mirror: string; to: string; why: "stopped" | "expired" }
  | { event: "devices-refused"; pool: string; message: string }
  | { event: "joined"; node: string; uidOfNode: string }
  | { event: "name-taken"; node: string; by: string }
  | { event: "store-reached" }
  | { event: "store-away"; message: string }
  | { event: "record-refused"; key: string; message: string }
  | { event: "records-doubted"; records: number; forMs: number }
  | { event: "peer"; peer: string; liveness: string; lostInARow: number; heardOf: boolean; machineAnswers: boolean }
  | { event: "cluster-failed"; message: string }
  | { event: "egress-held"; name: string; address: string; link: string }
  | { event: "egress-dropped"; name: string; address: string; why: string }
  | { event: "edge-phase"; router: string; phase: string; message: string }
  | {
      event: "edge-pushed";
      router: string;
      revision: number;
      why: string;
      sets: number;
      deletes: number;
      result: string;
      tookMs: number;
    }
  | { event: "edge-failed"; router: string; failures: number; message: string }
  | { event: "edge-taken-back"; router: string; revision: number; message: string }
  | { event: "speaker-told"; neighbours: number; networks: number; tookMs: number }
  | { event: "speaker-failed"; message: string }
  | { event: "policy-refused"; object: string; message: string }
  /** What was refused can be had, and is what counts. */
  | { event: "policy-readable"; object: string }
  /** A rule is stricter than it is written. */
  | { event: "policy-closed"; object: string; message: string }
  /** The kernel has what the source told: elements that came or changed, and that went. */
  | { event: "policies-changed"; policies: number; came: number; went: number; tookMs: number }
  | { event: "policies-failed"; message: string }
  /** `packets`: since it was told of last. */
  | {
      event: "flow-denied";
      from: string;
      to: string;
      protocol: string;
      port: number;
      packets: number;
      because: string;
    }
  /** Too many at once to tell of each. */
  | { event: "flows-unsaid"; flows: number }
  | { event: "policy-blind"; container: string; ifname: string; pod: string; type: string }
  | { event: "network-status-written"; pod: string; networks: readonly string[] }
  | { event: "network-status-failed"; pod: string; message: string }
  /** What Kubernetes was told of the node. */
  | { event: "node-network"; available: boolean; message: string }
  | { event: "node-network-failed"; message: string }
  /** What of Kubernetes is part of the configuration from now on. */
  | {
      event: "resources-taken";
      networks: readonly string[];
      pools: readonly string[];
      tenants: readonly string[];
      routers: readonly string[];
    }
  | { event: "resource-refused"; object: string; message: string }
  | { event: "resources-failed"; message: string }
  | { event: "events-lost" }
  | { event: "peer-refused"; uid: number; pid: number }
  | { event: "conntrack-failed"; message: string }
  | { event: "delegate-stderr"; plugin: string; text: string };

export type Log = (event: Event) => void;

/** How serious each event is; a new event does not compile until it has a level. */
export const LEVEL = {
  starting: "info",
  serving: "info",
  stopping: "info",
  stopped: "info",
  attached: "info",
  detached: "info",
  checked: "debug",
  collected: "info",
  refused: "warn",
  failed: "error",
  replayed: "info",
  drift: "warn",
  repaired: "info",
  "repair-failed": "error",
  "namespace-gone": "info",
  "duplicate-address": "warn",
  "block-lost": "error",
  "block-inherited": "info",
  "fixed-lost": "error",
  "blocks-failed": "warn",
  "reservation-displaced": "warn",
  "mirror-started": "info",
  "mirror-ended": "info",
  "devices-refused": "warn",
  joined: "info",
  "name-taken": "error",
  "store-reached": "info",
  "store-away": "warn",
  "record-refused": "warn",
  "records-doubted": "warn",
  peer: "info",
  "cluster-failed": "warn",
  "egress-held": "info",
  "egress-dropped": "warn",
  "edge-phase": "info",
  "edge-pushed": "info",
  "edge-failed": "warn",
  "edge-taken-back": "error",
  "speaker-told": "info",
  "speaker-failed": "warn",
  "policy-refused": "error",
  "policy-readable": "info",
  "policy-closed": "warn",
  "policies-changed": "info",
  "policies-failed": "error",
  "flow-denied": "info",
  "flows-unsaid": "warn",
  "policy-blind": "warn",
  "network-status-written": "debug",
  "network-status-failed": "warn",
  "node-network": "info",
  "node-network-failed": "warn",
  "resources-taken": "info",
  "resource-refused": "warn",
  "resources-failed": "warn",
  "events-lost": "warn",
  "peer-refused": "warn",
  "conntrack-failed": "error",
  "delegate-stderr": "debug",
} as const satisfies Record<Event["event"], "debug" | "info" | "warn" | "error">;
