import { expect, test } from "@jest/globals";
import { type Event, LEVEL } from "#lib/log.ts";
import { logWriter } from "./log-writer.ts";

const key = { container: "c1", ifname: "eth0" };

/** One of each; a new event does not compile until it is here. */
const EVENTS = {
  starting: { event: "starting", version: "0.1.0", pid: 7, config: "none", socket: "/s", store: "/d" },
  serving: { event: "serving", socket: "/s", attachments: 3, tookMs: 12 },
  stopping: { event: "stopping", signal: "SIGTERM", running: 2 },
  stopped: { event: "stopped", tookMs: 9 },
  attached: { event: "attached", ...key, network: "n", addresses: ["10.1.0.2/16"], tookMs: 1, traceparent: "00-…" },
  detached: { event: "detached", ...key, network: "n", tookMs: 1, known: true },
  checked: { event: "checked", ...key, differences: 0, tookMs: 1 },
  collected: { event: "collected", network: "n", removed: 1, tookMs: 1 },
  refused: { event: "refused", verb: "ADD", ...key, kind: "not-ready", message: "m", tookMs: 1 },
  failed: { event: "failed", verb: "ADD", ...key, message: "m", stack: "s" },
  replayed: { event: "replayed", entry: "e", ...key, outcome: "done", message: "" },
  drift: { event: "drift", ...key, lines: ["+ link a veth up"] },
  repaired: { event: "repaired", lines: ["+ link a veth up"], count: 1, tookMs: 4 },
  "repair-failed": { event: "repair-failed", ...key, message: "m" },
  "namespace-gone": { event: "namespace-gone", ...key, network: "n" },
  "duplicate-address": {
    event: "duplicate-address",
    ...key,
    network: "n",
    address: "10.1.0.5",
    mac: "02:00:00:00:00:05",
  },
  "mirror-started": {
    event: "mirror-started",
    container: "c",
    ifname: "eth0",
    mirror: "1a2b-0",
    to: "link:up0",
    until: "2026-01-01T00:00:00.000Z",
  },
  "mirror-ended": {
    event: "mirror-ended",
    container: "c",
    ifname: "eth0",
    mirror: "1a2b-0",
    to: "link:up0",
    why: "expired",
  },
  "reservation-displaced": { event: "reservation-displaced", pool: "std", name: "a/b", addresses: ["10.1.0.5"] },
  "devices-refused": { event: "devices-refused", pool: "fast", message: "ens1 can have 8 virtual functions at most" },
  joined: { event: "joined", node: "alpha", uidOfNode: "u" },
  "name-taken": { event: "name-taken", node: "alpha", by: "v" },
  "store-reached": { event: "store-reached" },
  "store-away": { event: "store-away", message: "m" },
  "record-refused": { event: "record-refused", key: "nodes/beta", message: "m" },
  "records-doubted": { event: "records-doubted", records: 4, forMs: 600_000 },
  peer: { event: "peer", peer: "beta", liveness: "dead", lostInARow: 5, heardOf: false, machineAnswers: false },
  "block-lost": { event: "block-lost", pool: "std", prefix: "10.1.0.0/26", used: 3 },
  "block-inherited": { event: "block-inherited", pool: "std", prefix: "10.1.0.0/26", node: "beta", uid: "u" },
  "fixed-lost": { event: "fixed-lost", pool: "std", address: "10.1.9.9", name: "default/db-0" },
  "blocks-failed": { event: "blocks-failed", message: "m" },
  "cluster-failed": { event: "cluster-failed", message: "m" },
  "egress-held": { event: "egress-held", name: "billing", address: "192.0.2.200", link: "eth0" },
  "egress-dropped": { event: "egress-dropped", name: "billing", address: "192.0.2.200", why: "no proof" },
  "edge-phase": { event: "edge-phase", router: "edge1", phase: "in-sync", message: "" },
  "edge-pushed": {
    event: "edge-pushed",
    router: "edge1",
    revision: 7,
    why: "the cluster has changed",
    sets: 2,
    deletes: 1,
    result: "done",
    tookMs: 1_200,
  },
  "edge-failed": { event: "edge-failed", router: "edge1", failures: 2, message: "m" },
  "edge-taken-back": { event: "edge-taken-back", router: "edge1", revision: 7, message: "m" },
  "speaker-told": { event: "speaker-told", neighbours: 2, networks: 3, tookMs: 700 },
  "speaker-failed": { event: "speaker-failed", message: "m" },
  "policy-closed": { event: "policy-closed", object: "web.yaml#0", message: "m" },
  "policy-refused": { event: "policy-refused", object: "web.yaml#0", message: "m" },
  "policies-changed": { event: "policies-changed", policies: 3, came: 12, went: 2, tookMs: 4 },
  "flow-denied": {
    event: "flow-denied",
    from: "a/b",
    to: "192.0.2.7",
    protocol: "tcp",
    port: 80,
    packets: 3,
    because: "m",
  },
  "flows-unsaid": { event: "flows-unsaid", flows: 30 },
  "policy-readable": { event: "policy-readable", object: "web.yaml#0" },
  "policies-failed": { event: "policies-failed", message: "m" },
  "policy-blind": { event: "policy-blind", container: "c", ifname: "net1", pod: "a/b", type: "macvlan" },
  "network-status-written": { event: "network-status-written", pod: "a/b", networks: ["net", "a/media"] },
  "network-status-failed": {
    event: "network-status-failed",
    pod: "a/b",
    message: "https://192.0.2.1:6443: ECONNREFUSED",
  },
  "node-network": { event: "node-network", available: true, message: "selvedged attaches pods" },
  "node-network-failed": { event: "node-network-failed", message: "https://192.0.2.1:6443: ECONNREFUSED" },
  "resources-taken": { event: "resources-taken", networks: ["media"], pools: ["media"], tenants: [], routers: [] },
  "resource-refused": { event: "resource-refused", object: "Network media", message: "m" },
  "resources-failed": { event: "resources-failed", message: "m" },
  "events-lost": { event: "events-lost" },
  "peer-refused": { event: "peer-refused", uid: 1000, pid: 8 },
  "conntrack-failed": { event: "conntrack-failed", message: "m" },
  "delegate-stderr": { event: "delegate-stderr", plugin: "dhcp", text: "t" },
} as const satisfies { [Name in Event["event"]]: Extract<Event, { event: Name }> };

/** What is written for these events, parsed. */
function written(level: "debug" | "info" | "warn" | "error", events: readonly Event[]): Record<string, unknown>[] {
  const lines: string[] = [];
  const log = logWriter(level, { write: (line: string) => void lines.push(line) });
  for (const event of events) log(event);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.each(Object.values(EVENTS))("$event is written with its level, a time and all its fields", (event) => {
  const [line] = written("debug", [event]);
  expect(line).toEqual({ level: LEVEL[event.event], time: expect.any(String), ...event });
  expect(new Date(String(line?.time)).toISOString()).toBe(line?.time);
});

test("what is less serious than asked for is dropped", () => {
  const { checked, attached, drift, failed } = EVENTS;
  const names = (level: "debug" | "info" | "warn" | "error") =>
    written(level, [checked, attached, drift, failed]).map((line) => line.event);
  expect(names("debug")).toEqual(["checked", "attached", "drift", "failed"]);
  expect(names("info")).toEqual(["attached", "drift", "failed"]);
  expect(names("warn")).toEqual(["drift", "failed"]);
  expect(names("error")).toEqual(["failed"]);
});
