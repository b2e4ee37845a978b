/** Flow offload on the guest's kernel: what goes past the chains, what does not, and what ends it. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { type Family, mac } from "#lib/address.ts";
import { bandwidthFacts } from "#lib/datapath/bandwidth.ts";
import { guardElements } from "#lib/datapath/guard.ts";
import type { Fact } from "#lib/state/fact.ts";
import { eventually } from "../../conformance/program.ts";
import { run } from "../datapath/iproute.ts";
import { type EchoStream, echoStream } from "../support/echo-stream.ts";
import { keyDirectory } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import {
  decide,
  ensure,
  isWhole,
  makeWire,
  podNamespace,
  podOf,
  removeWire,
  type Setting,
  type WayNode,
  withNodes,
} from "./rig.ts";
import { KEYS } from "./userspace.ts";

const test = needing("root", { program: "ip" }, { program: "nft" }, { file: "/usr/bin/python3" });
const DATAGRAMS = join(import.meta.dirname, "datagrams.py");
const PORT = 7_000;
const MANY = 20;

const keys = keyDirectory();
beforeAll(() => makeWire());
afterAll(() => {
  removeWire();
  rmSync(keys, { recursive: true });
});

/** Of the pod on n2, as an attachment of the type ptp has them. */
function guardFacts(): Fact[] {
  const [link] = JSON.parse(
    execFileSync("ip", ["-n", podNamespace("n2"), "-j", "link", "show", "eth0"], { encoding: "utf8" }),
  );
  return guardElements({
    guard: "inet",
    link: "pod0",
    mac: mac(link.address),
    addresses: ([4, 6] as const).map((of) => podOf("n2", of)),
  });
}

/** Another's chain in front of all, which counts what goes to the pod and what it sends. */
function count(): void {
  run("n2", "nft add table inet count");
  run("n2", "nft add chain inet count c { type filter hook prerouting priority -400; policy accept; }");
  for (const side of ["dport", "sport"])
    run("n2", `nft add rule inet count c th ${side} ${PORT} iifname ${side === "sport" ? "pod0" : "!= pod0"} counter`);
}

/** Packets of the pods' connections that n2's chains have seen, to its pod and from it. */
function counted(): { into: number; outOf: number } {
  const text = run("n2", "nft list chain inet count c");
  const [into = 0, outOf = 0] = Array.from(text.matchAll(/counter packets (\d+)/g), ([, n]) => Number(n));
  return { into, outOf };
}

/** How many of so many datagrams from pod to pod come back. */
const answered = (of: Family, number: number): number =>
  Number(run(podNamespace("n1"), `python3 ${DATAGRAMS} send ${podOf("n1", of)} ${podOf("n2", of)} ${PORT} ${number}`));

const isOffloaded = (): boolean => run("n2", "cat /proc/net/nf_conntrack").includes("[OFFLOAD]");

async function withEcho(of: Family, work: () => Promise<void>): Promise<void> {
  const argv = ["netns", "exec", podNamespace("n2"), "python3", DATAGRAMS, "echo", podOf("n2", of), String(PORT)];
  const child = spawn("ip", argv, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    await once(child.stdout, "data");
    await work();
  } finally {
    child.kill();
    await ended;
  }
}

/** Between n1 and n2, whose pod's link is guarded; `work` gets n2. */
const withOffload = (
  setting: Setting,
  work: (node: WayNode, nodes: readonly WayNode[]) => Promise<void>,
): Promise<void> =>
  withNodes(
    setting,
    async (nodes) => {
      const [, node] = nodes;
      if (node === undefined) throw new RangeError("there is no n2");
      node.facts = [...node.facts, ...guardFacts()];
      await ensure(node);
      // Longer than a slow guest takes from one command to the next.
      for (const protocol of ["udp", "tcp"])
        run("n2", `sysctl -q -w net.netfilter.nf_flowtable_${protocol}_timeout=600`);
      await node.kernel.flushConntrack([podOf("n2", 4), podOf("n2", 6)]);
      try {
        count();
        await work(node, nodes);
      } finally {
        run("n2", "nft delete table inet count");
      }
    },
    { keys: KEYS, wireguard: () => ({ keys }) },
  );

const WAYS: readonly (readonly [name: string, of: Family, setting: Setting])[] = [
  ["IPv4 directly", 4, { way: "direct", underlay: 4, encrypt: false, flowOffload: true }],
  ["IPv6 by VXLAN", 6, { way: "vxlan", underlay: 4, encrypt: false, flowOffload: true }],
  ["IPv4 by WireGuard", 4, { way: "wireguard", underlay: 4, encrypt: false, flowOffload: true }],
];

/** The first is new and the second is what makes the flow; the others are seen by no chain. */
const FIRST = 2;

/** What n2's chains see of so many datagrams, all of which are answered. */
function seenOf(of: Family, number: number): ReturnType<typeof counted> {
  const before = counted();
  expect(answered(of, number)).toBe(number);
  const { into, outOf } = counted();
  return { into: into - before.into, outOf: outOf - before.outOf };
}

test.each(WAYS)(
  "%s: what comes for an established connection passes no chain, what the pod sends passes all",
  (_name, of, setting) =>
    withOffload(setting, (node) =>
      withEcho(of, async () => {
        expect(await ensure(node)).toEqual([]);
        expect(seenOf(of, MANY)).toEqual({ into: FIRST, outOf: MANY });
        expect(isOffloaded()).toBe(true);

        const stranger = of === 4 ? "10.66.2.66" : "fd00:66:2::66";
        run(podNamespace("n2"), `ip addr add ${stranger}/${of === 4 ? 32 : 128} dev eth0${of === 4 ? "" : " nodad"}`);
        run(podNamespace("n2"), `python3 ${DATAGRAMS} send ${stranger} ${podOf("n1", of)} ${PORT} 1`);
        run(podNamespace("n2"), `ip addr del ${stranger}/${of === 4 ? 32 : 128} dev eth0`);
        expect(run("n2", "nft list chain inet selvedge guard")).toMatch(/counter packets [1-9]\d* bytes \d+ drop/);

        expect(await node.kernel.flushConntrack([podOf("n2", of)])).toBeGreaterThan(0);
        expect(isOffloaded()).toBe(false);
        expect(seenOf(of, MANY)).toEqual({ into: FIRST, outOf: MANY });
      }),
    ),
  300_000,
);
test("the table has ways", () => expect(WAYS.length).toBeGreaterThan(0));

const HARM: readonly (readonly [what: string, command: string])[] = [
  ["the ruleset", "nft flush ruleset"],
  [
    "a link of the flowtable",
    "nft delete flowtable inet selvedge offloaded { hook ingress priority 0; devices = { svx4 }; }",
  ],
  ["the tunnel", "ip link del svx4"],
];

test.each(HARM)(
  "%s goes and comes back, and flows are offloaded again",
  (_what, command) =>
    withOffload({ way: "vxlan", underlay: 4, encrypt: false, flowOffload: true }, (node) =>
      withEcho(4, async () => {
        expect(await isWhole(node)).toBe(true);
        run("n2", command);
        expect(await isWhole(node)).toBe(false);
        expect(await ensure(node)).not.toEqual([]);
        expect(await ensure(node)).toEqual([]);
        run("n2", "nft add table inet count");
        run("n2", "nft delete table inet count");
        count();
        await node.kernel.flushConntrack([podOf("n2", 4)]);
        expect(seenOf(4, MANY)).toEqual({ into: FIRST, outOf: MANY });
      }),
    ),
  300_000,
);
test("the table has harm", () => expect(HARM.length).toBeGreaterThan(0));

test(
  "turned off, it leaves nothing, and every packet passes the chains",
  () =>
    withOffload({ way: "vxlan", underlay: 4, encrypt: false, flowOffload: true }, (node, nodes) =>
      withEcho(4, async () => {
        expect(seenOf(4, MANY)).toEqual({ into: FIRST, outOf: MANY });
        await decide(nodes, { way: "vxlan", underlay: 4, encrypt: false });
        expect(await ensure(node)).toEqual(["~ table inet selvedge"]);
        expect(run("n2", "nft list flowtables")).not.toContain("offloaded");
        expect(isOffloaded()).toBe(false);
        expect(seenOf(4, MANY)).toEqual({ into: MANY, outOf: MANY });
      }),
    ),
  300_000,
);

const stream = (bytes: number): Promise<EchoStream> =>
  echoStream({ from: podNamespace("n1"), to: podNamespace("n2"), address: podOf("n2", 4), bytes });

const afterMore = async (of: EchoStream, number: number): Promise<void> => {
  const { heard } = of;
  await eventually(`${number} more`, async () => of.heard >= heard + number || undefined, 60_000);
};

test(
  "a connection of TCP is offloaded for as long as it lasts, ends as any other, and the next one is as new",
  () =>
    withOffload({ way: "direct", underlay: 4, encrypt: false, flowOffload: true }, async () => {
      for (const _next of [1, 2]) {
        const began = counted();
        {
          await using long = await stream(8);
          await afterMore(long, MANY);
          expect(isOffloaded()).toBe(true);
          const before = counted();
          expect(before.into).toBeGreaterThan(began.into);
          await afterMore(long, MANY);
          const after = counted();
          expect(after.into).toBe(before.into);
          expect(after.outOf).toBeGreaterThanOrEqual(before.outOf + MANY);
          expect(long.ended).toBeNull();
        }
        await eventually("its end is seen", async () => !isOffloaded() || undefined);
      }
    }),
  300_000,
);

const RATE_BITS = 500_000;
const LINE_BYTES = 14_000;
const WATCHED_MS = 8_000;

test(
  "what a pod may be sent in a second holds for what is offloaded",
  () =>
    withOffload({ way: "direct", underlay: 4, encrypt: false, flowOffload: true }, async (node) => {
      const limit = bandwidthFacts({ bandwidth: { ingressRate: RATE_BITS }, link: "pod0", ifb: "-", alias: "-" });
      node.facts = [...node.facts, ...limit];
      expect(await ensure(node)).toHaveLength(limit.length);
      const [burstBytes = 0] = limit.flatMap((fact) => (fact.type === "shaper" ? [fact.burstBytes] : []));
      const delayed = (): number => JSON.parse(run("n2", "tc -s -j qdisc show dev pod0"))[0].overlimits;
      await using large = await stream(LINE_BYTES);
      await afterMore(large, 2);
      expect(isOffloaded()).toBe(true);
      const [before, delayedBefore, { heard }, beganMs] = [counted(), delayed(), large, performance.now()];
      await sleep(WATCHED_MS);
      expect(counted().into).toBe(before.into);
      expect(delayed()).toBeGreaterThan(delayedBefore);
      const mostBytes = burstBytes + (RATE_BITS / 8) * ((performance.now() - beganMs) / 1_000);
      // What had come before may be told of only now; without a limit it is a multiple of that.
      expect((large.heard - heard) * LINE_BYTES).toBeLessThan(2 * mostBytes);
      expect(large.heard).toBeGreaterThan(heard);
    }),
  300_000,
);

// The last: its link stays down.
test(
  "the flows of a pod end with its link",
  () =>
    withOffload({ way: "direct", underlay: 4, encrypt: false, flowOffload: true }, () =>
      withEcho(4, async () => {
        expect(seenOf(4, MANY)).toEqual({ into: FIRST, outOf: MANY });
        expect(isOffloaded()).toBe(true);
        run("n2", "ip link set pod0 down");
        expect(isOffloaded()).toBe(false);
      }),
    ),
  300_000,
);
