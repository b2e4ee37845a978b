import { expect, test } from "@jest/globals";
import type { Survey } from "#lib/kernel/survey.ts";
import { health, type Situation } from "./health.ts";

const WELL: Survey = {
  switches: {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/bridge/bridge-nf-call-iptables": "0",
    "net/netfilter/nf_conntrack_max": "1000",
    "net/netfilter/nf_conntrack_count": "799",
  },
  dropping: [],
  legacyTables: [],
  managed: [],
  pluginInstalled: true,
  networks: [{ file: "05-selvedge.conflist", ours: true }],
  socket: { mode: 0o600, uid: 0 },
};
const CALM: Situation = {
  nowMs: 100_000,
  waitingFor: [],
  lastReconcileMs: 10_000,
  reconcileEveryMs: 30_000,
  plan: [],
  pathMtu: 1500,
  networkMtus: [["media", 1500]],
  socket: "/s",
  refused: new Map(),
  meeting: { place: "etcd at http://a:2379", isReached: true, away: "" },
};
const switched = (key: keyof Survey["switches"], value: string): Partial<Survey> => ({
  switches: { ...WELL.switches, [key]: value },
});

test("a node that is well has a finding for each check, and all are ok", () => {
  const findings = health(WELL, CALM);
  expect(findings.map(({ check }) => check)).toEqual([
    "daemon",
    "reconcile",
    "state",
    "policies",
    "shared store",
    "IPv4 forwarding",
    "IPv6 forwarding",
    "reverse path",
    "br_netfilter",
    "connection tracking",
    "other firewalls",
    "network managers",
    "MTU",
    "socket",
    "plugin",
    "configuration list",
  ]);
  expect(findings.filter(({ level, remedy }) => level !== "ok" || remedy !== "")).toEqual([]);
});

const ills: [check: string, level: string, message: string, survey: Partial<Survey>, situation?: Partial<Situation>][] =
  [
    ["daemon", "problem", "it waits: a; b", {}, { waitingFor: ["a", "b"] }],
    ["reconcile", "warning", "no full pass since the daemon started", {}, { lastReconcileMs: 0 }],
    [
      "reconcile",
      "problem",
      "the last full pass was 91 s ago, and one is due every 30 s",
      {},
      { lastReconcileMs: 9_000 },
    ],
    [
      "state",
      "warning",
      "2 operations are to be done, 1 of them to remove what nobody wants any more",
      {},
      { plan: ["+ link a veth", "- link b veth"] },
    ],
    [
      "shared store",
      "problem",
      "etcd at http://a:2379: it is away",
      {},
      { meeting: { place: "etcd at http://a:2379", isReached: false, away: "no answer. Is it running?" } },
    ],
    [
      "shared store",
      "warning",
      "etcd at http://a:2379: no answer since the daemon started",
      {},
      { meeting: { place: "etcd at http://a:2379", isReached: undefined, away: "" } },
    ],
    [
      "IPv4 forwarding",
      "problem",
      "net/ipv4/ip_forward is 0: no packet leaves or reaches a pod",
      switched("net/ipv4/ip_forward", "0"),
    ],
    [
      "reverse path",
      "warning",
      "net/ipv4/conf/all/rp_filter is 1 (strict): packets of a pod with several planes are dropped where the way back differs",
      switched("net/ipv4/conf/all/rp_filter", "1"),
    ],
    [
      "br_netfilter",
      "warning",
      "frames between pods on one bridge pass through the rules for routed packets",
      switched("net/bridge/bridge-nf-call-iptables", "1"),
    ],
    [
      "connection tracking",
      "problem",
      "800 of 1000 connections: new ones are about to be dropped",
      switched("net/netfilter/nf_conntrack_count", "800"),
    ],
    ["connection tracking", "warning", "nf_conntrack is not loaded", { switches: { "net/ipv4/ip_forward": "1" } }],
    ["IPv6 forwarding", "warning", "this kernel does not have it", { switches: { "net/ipv4/ip_forward": "1" } }],
    [
      "other firewalls",
      "warning",
      "ip filter FORWARD: drops forwarded packets that none of its rules accepts",
      { dropping: ["ip filter FORWARD"] },
    ],
    ["other firewalls", "warning", "nft cannot list the chains of this node", { dropping: undefined }],
    [
      "other firewalls",
      "warning",
      "the old iptables has a table filter, which nft does not show",
      { legacyTables: ["filter", "nat"] },
    ],
    [
      "network managers",
      "problem",
      "NetworkManager manages 2 links of pods, the first is sv1",
      {
        managed: [
          { link: "sv1", by: "NetworkManager" },
          { link: "sv2", by: "NetworkManager" },
        ],
      },
    ],
    [
      "MTU",
      "warning",
      "the node's path takes 1500 bytes; more have media (9000)",
      {},
      {
        networkMtus: [
          ["std", 1400],
          ["media", 9000],
        ],
      },
    ],
    ["socket", "problem", "/s is gone: plugins cannot reach the daemon", { socket: undefined }],
    [
      "socket",
      "problem",
      "/s has mode 666 and owner 0: others than root may connect",
      { socket: { mode: 0o666, uid: 0 } },
    ],
    [
      "policies",
      "warning",
      "API server: https://192.0.2.1: connect ECONNREFUSED (and 1 more)",
      {},
      {
        refused: new Map([
          ["API server", "https://192.0.2.1: connect ECONNREFUSED"],
          ["a.yaml", "bad"],
        ]),
      },
    ],
    ["plugin", "warning", "no program /opt/cni/bin/selvedge", { pluginInstalled: false }],
    ["configuration list", "warning", "no file in /etc/cni/net.d names the plugin", { networks: [] }],
    [
      "configuration list",
      "warning",
      "01-other.conf comes before 05-selvedge.conflist in /etc/cni/net.d: pods are attached by that one",
      {
        networks: [
          { file: "01-other.conf", ours: false },
          { file: "05-selvedge.conflist", ours: true },
        ],
      },
    ],
  ];

test.each(ills)("%s, %s: %s", (check, level, message, survey, situation = {}) => {
  const found = health({ ...WELL, ...survey }, { ...CALM, ...situation }).find((finding) => finding.check === check);
  expect(found).toMatchObject({ level, message });
  expect(found?.remedy).not.toBe("");
});

test("every check is seen ill", () => {
  const seen = new Set(ills.map(([check]) => check));
  expect(health(WELL, CALM).filter(({ check }) => !seen.has(check))).toEqual([]);
});
