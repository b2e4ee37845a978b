/** What linux.ts builds, as `ip` and `tc` see it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change, Kernel } from "#lib/kernel/kernel.ts";
import { linux } from "#lib/kernel/linux.ts";
import { diff } from "#lib/state/diff.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { pod, routed } from "./contract-facts.ts";
import { add, undo } from "./ops.ts";
import { ip, json } from "./records.ts";

const test = needing("root", { program: "ip" }, { program: "tc" });

let made = 0;
interface At {
  readonly kernel: Kernel;
  readonly name: string;
  readonly netns: string;
}

/** With a kernel and one new namespace; both are gone afterwards. */
async function withNamespace(work: (at: At) => Promise<void>): Promise<void> {
  const name = `linux${++made}`;
  ip("netns", "add", name);
  const kernel = linux();
  try {
    await work({ kernel, name, netns: `/run/netns/${name}` });
  } finally {
    await kernel.settled();
    await kernel[Symbol.asyncDispose]();
    ip("netns", "del", name);
  }
}

const first = pod(1);
/** Without what nftables holds: that has tests of its own. */
const unguarded = (facts: readonly Fact[]): Fact[] => facts.filter((fact) => fact.type !== "element");
const dual = unguarded(routed(first, { address6: address("fd00::1") }));

test("a routed pair is what ip says, and stands after the second time as after the first", () =>
  withNamespace(async ({ kernel, name, netns }) => {
    for (const _again of [1, 2]) await kernel.apply({ netns }, add(dual));
    expect(diff(dual, await kernel.look({ netns }, dual)).map(line)).toEqual([]);
    expect(json("ip", "-d", "link", "show", first.host)[0]).toMatchObject({
      ifname: first.host,
      operstate: "UP",
      mtu: 1450,
      ifalias: first.alias,
      num_tx_queues: 1,
      num_rx_queues: 1,
      inet6_addr_gen_mode: "none",
      linkinfo: { info_kind: "veth" },
    });
    expect(json("ip", "-n", name, "link", "show", "eth0")[0]).toMatchObject({ mtu: 1450, address: first.mac });
    const addresses = json("ip", "-n", name, "addr", "show", "eth0")[0].addr_info;
    expect(addresses).toContainEqual(expect.objectContaining({ local: "10.1.0.1", prefixlen: 32 }));
    expect(addresses).toContainEqual(expect.objectContaining({ local: "fd00::1", prefixlen: 128, nodad: true }));
    expect(json("ip", "-n", name, "route")).toContainEqual(
      expect.objectContaining({ dst: "default", gateway: "169.254.1.1", dev: "eth0", protocol: "83" }),
    );
    expect(json("ip", "-n", name, "-6", "route")).toContainEqual(
      expect.objectContaining({ dst: "default", gateway: "fe80::1", dev: "eth0", protocol: "83" }),
    );
    expect(json("ip", "route", "show", "10.1.0.1")[0]).toMatchObject({
      dev: first.host,
      scope: "link",
      protocol: "83",
    });
    expect(json("ip", "-6", "route", "show", "fd00::1")[0]).toMatchObject({ dev: first.host, protocol: "83" });
    expect(json("ip", "neigh", "show", "dev", first.host)).toContainEqual(
      expect.objectContaining({ dst: "10.1.0.1", lladdr: first.mac, state: ["PERMANENT"] }),
    );
    await kernel.apply({ netns }, undo(dual));
    expect(json("ip", "route", "show", "10.1.0.1")).toEqual([]);
    await kernel.settled();
    expect(() => ip("link", "show", first.host)).toThrow();
    expect(() => ip("-n", name, "link", "show", "eth0")).toThrow();
  }));

test("a shaper and a redirect are what tc says", () =>
  withNamespace(async ({ kernel, netns }) => {
    const shaping: Fact[] = [
      { type: "link", at: "host", name: first.ifb, kind: "ifb", up: true, alias: first.alias },
      { type: "shaper", at: "host", link: first.host, rateBits: 80_000_000, burstBytes: 64_000, latencyUs: 25_000 },
      { type: "redirect", at: "host", link: first.host, to: first.ifb },
    ];
    const want = [...dual, ...shaping];
    for (const _again of [1, 2]) await kernel.apply({ netns }, add(want));
    expect(diff(want, await kernel.look({ netns }, want)).map(line)).toEqual([]);
    expect(json("tc", "qdisc", "show", "dev", first.host, "root")[0]).toMatchObject({
      kind: "tbf",
      options: { rate: 10_000_000, burst: 64_000, lat: 24_999 },
    });
    const filters = json("tc", "filter", "show", "dev", first.host, "ingress");
    expect(filters.at(-1)).toMatchObject({
      pref: 53,
      options: { actions: [{ kind: "mirred", mirred_action: "redirect", to_dev: first.ifb }] },
    });
    expect(filters.filter((filter) => filter.options?.actions !== undefined).length).toBe(1);
    await kernel.apply({ netns }, undo(want));
  }));

test("IPv6 that is off in the pod is turned on for its link", () =>
  withNamespace(async ({ kernel, name, netns }) => {
    ip(
      "netns",
      "exec",
      name,
      "sysctl",
      "-qw",
      "net.ipv6.conf.all.disable_ipv6=1",
      "net.ipv6.conf.default.disable_ipv6=1",
    );
    await kernel.apply({ netns }, add(dual));
    expect(diff(dual, await kernel.look({ netns }, dual)).map(line)).toEqual([]);
    await kernel.apply({ netns }, undo(dual));
  }));

test("a pair whose two ends are in the process's own namespace", () =>
  withNamespace(async ({ kernel }) => {
    const scope = { netns: "/proc/self/ns/net" };
    const want = unguarded(routed(pod(2))).filter((fact) => fact.type !== "route" || fact.to !== "0.0.0.0/0");
    for (const _again of [1, 2]) await kernel.apply(scope, add(want));
    expect(diff(want, await kernel.look(scope, want)).map(line)).toEqual([]);
    await kernel.apply(scope, undo(want.filter((fact) => fact.type !== "link" || fact.kind !== "loopback")));
    await kernel.settled();
    expect(() => ip("link", "show", "eth0")).toThrow();
  }));

/** Strangers' links under our names; the error names the one that is in the way. */
const strangers: [what: string, make: (name: string) => void, taken: string][] = [
  ["in the pod", (name) => void ip("-n", name, "link", "add", "eth0", "type", "bridge"), "eth0"],
  ["on the host", () => void ip("link", "add", first.host, "type", "bridge"), first.host],
];
test.each(strangers)("a name that is taken %s refuses, and the stranger stays", (_, make, taken) =>
  withNamespace(async ({ kernel, name, netns }) => {
    make(name);
    const error = await kernel.apply({ netns }, add(dual)).catch((thrown: unknown) => thrown);
    expect(isFailure(error, "interface-exists") && error.failure.name).toBe(taken);
    const place = taken === "eth0" ? ["-n", name] : [];
    expect(ip(...place, "-d", "link", "show", taken)).toContain("bridge ");
    ip(...place, "link", "del", taken);
  }),
);

test("what a crash left half made is cleared away: a pair of ours without its alias, its other end elsewhere", () =>
  withNamespace(async ({ kernel, netns }) => {
    ip("link", "add", first.host, "group", String(0x5e1f), "type", "veth", "peer", "name", "elsewhere");
    await kernel.apply({ netns }, add(dual));
    expect(diff(dual, await kernel.look({ netns }, dual)).map(line)).toEqual([]);
    expect(() => ip("link", "show", "elsewhere")).toThrow();
    await kernel.apply({ netns }, undo(dual));
  }));

test("what the kernel learns of neighbours on our links, and forgets, is told to nobody; one of ours that is replaced is", () =>
  withNamespace(async ({ kernel, netns }) => {
    await kernel.apply({ netns }, add(dual));
    const end = new AbortController();
    const told: (Change | undefined)[] = [];
    const watching = kernel.watch((change) => told.push(change), end.signal);
    for (const learned of ["fe80::1234", "10.1.0.77"]) {
      ip("neigh", "add", learned, "lladdr", "02:00:00:00:00:77", "nud", "reachable", "dev", first.host);
      ip("neigh", "change", learned, "lladdr", "02:00:00:00:00:78", "nud", "stale", "dev", first.host);
      ip("neigh", "del", learned, "dev", first.host);
    }
    await sleep(100);
    expect(told).toEqual([]);
    ip("neigh", "replace", "10.1.0.1", "lladdr", "02:00:00:00:00:77", "nud", "stale", "dev", first.host);
    await eventually("it is told", async () => {
      expect(told).toEqual([{ where: "host", link: first.host }]);
      return true;
    });
    end.abort();
    await watching;
  }));

test("a storm of removals: all out of the tables at once, none left, and a name can be used again meanwhile", async () => {
  await using kernel = linux();
  const pods = Array.from({ length: 40 }, (_, i) => i);
  const facts = (i: number): Fact[] => {
    const host = `st${i}`;
    const hostMac = mac("02:00:00:00:00:fe");
    return [
      { type: "link", at: "pod", name: "eth0", kind: "veth", up: true, peer: { at: "host", name: host } },
      {
        type: "link",
        at: "host",
        name: host,
        kind: "veth",
        up: true,
        mac: hostMac,
        alias: `selvedge ${i} eth0`,
        peer: { at: "pod", name: "eth0" },
        noIpv6LinkLocal: true,
      },
      { type: "route", at: "host", to: prefix(`10.3.0.${i}/32`), link: host },
    ];
  };
  const scope = (i: number) => ({ netns: `/run/netns/storm${i}` });
  for (const i of pods) ip("netns", "add", `storm${i}`);
  try {
    for (const i of pods) await kernel.apply(scope(i), add(facts(i)));
    await Promise.all(pods.map((i) => kernel.apply(scope(i), undo(facts(i)))));
    expect(json("ip", "route", "show", "root", "10.3.0.0/24")).toEqual([]);
    await kernel.apply(scope(0), add(facts(0)));
    expect(diff(facts(0), await kernel.look(scope(0), facts(0))).map(line)).toEqual([]);
    await kernel.apply(scope(0), undo(facts(0)));
    await kernel.settled();
    expect(json("ip", "link").filter(({ ifname }) => /^st\d+$/.test(ifname))).toEqual([]);
  } finally {
    for (const i of pods) ip("netns", "del", `storm${i}`);
  }
});
