/**
 * Attachment types whose links hang on the node's: SIGKILL of the real daemon in the middle, and what others break is
 * heard of and back, as iproute2 sees it, also under a daemon that did not make it.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import type { Verb } from "../support/invocation.ts";
import type { KernelPiece } from "../support/kernel-piece.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { struck } from "./struck.ts";

/** On a busy machine; what is not heard of is found only by the loop that looks every 30 s. */
const HEARD_MS = 15_000;
const PODS = ["ty-1", "ty-2"] as const;
const IN_GUEST = process.env.SELVEDGE_VM !== undefined;
/** How many times longer everything takes there. */
const SLOW = IN_GUEST ? 20 : 1;

interface Type {
  readonly name: string;
  readonly kernel?: KernelPiece;
  /** Run on the node before anything else; `OUTSIDE` is the namespace at the other end of its cable. */
  readonly prepare?: string;
  /** `n`: 1 for the first pod. */
  config(n: number): JsonObject;
  /** What others do: on the node, or in the first pod. `HOST` is its link on the node, `SHARED` the one that all pods use. */
  readonly harm: readonly (readonly [where: "node" | "pod", command: string])[];
}

const check = { duplicateCheck: { probes: 1, intervalMs: 10 } };
const inPod = ["ip link del eth0", "ip link set eth0 down", "ip -4 addr flush dev eth0"].map(
  (c) => ["pod", c] as const,
);
const ofShim = ["ip link del SHARED", "ip link set SHARED down", "ip route flush dev SHARED"].map(
  (command) => ["node", command] as const,
);

const EVERY: readonly Type[] = [
  {
    name: "macvlan",
    config: () => ({ attachment: "macvlan", master: "uplink", ...check }),
    harm: [...inPod, ...ofShim, ["node", "ip neigh flush dev SHARED nud permanent"]],
  },
  { name: "tap", config: () => ({ attachment: "tap", owner: 107 }), harm: inPod },
  {
    name: "bridge with VLANs",
    kernel: "bridge-vlan",
    config: () => ({
      attachment: "bridge",
      bridge: "ty-br",
      isGateway: true,
      vlan: 100,
      vlanTrunk: [{ id: 5 }],
      ...check,
    }),
    harm: [
      ...inPod,
      ["node", "bridge vlan del vid 100 dev HOST"],
      ["node", "bridge vlan add vid 666 dev HOST"],
      ["node", "bridge vlan add vid 5 dev HOST pvid untagged"],
      ["node", "ip link set ty-br type bridge vlan_filtering 0"],
      ["node", "ip link set HOST nomaster"],
      ["node", "ip link del ty-br"],
    ],
  },
  {
    name: "host-device",
    prepare: "for n in 1 2; do ip link add card$n type veth peer name card$n netns OUTSIDE; done",
    config: (n) => ({ attachment: "host-device", device: `card${n}`, ...check }),
    harm: inPod.slice(1),
  },
  {
    name: "ipvlan",
    kernel: "ipvlan",
    // Without addresses of their own, which would come to be when duplicates have been looked for.
    prepare:
      "ip link add ty-up type veth peer name ty-far; for l in ty-up ty-far; do ip link set $l addrgenmode none; ip link set $l up; done",
    config: () => ({ attachment: "ipvlan", master: "ty-up", ...check }),
    harm: [["pod", "ip link del eth0"], ...ofShim],
  },
  {
    name: "VLAN in a VLAN",
    kernel: "vlan",
    config: (n) => ({ attachment: "vlan", master: "uplink", vlanId: 100 + n, outerVlanId: 200, ...check }),
    harm: [
      ["pod", "ip link del eth0"],
      ["node", "ip link set SHARED down"],
      ["node", "ip link del SHARED"],
    ],
  },
];

/** In the guest, where each start of the daemon takes its time, those that a machine may lack: it has run the others. */
const TYPES = EVERY.filter(({ kernel }) => !IN_GUEST || kernel !== undefined);

/** There once while the kernel is at work. */
const STEPS: readonly (readonly [Verb, readonly string[]])[] = IN_GUEST
  ? [
      ["ADD", ["devices"]],
      ["DEL", ["taken-away"]],
    ]
  : [
      ["ADD", ["leased", "intent-stored", "devices", "kernel-applied"]],
      ["DEL", ["parsed", "taken-away", "off-network"]],
    ];
const KILLS = STEPS.flatMap(([verb, steps]) => steps.map((step) => [verb, step] as const));

test("there are cases", () => {
  expect(TYPES.length).toBe(IN_GUEST ? 3 : 6);
  expect(TYPES.filter(({ harm }) => harm.length < 2)).toEqual([]);
  expect(KILLS.length).toBe(IN_GUEST ? 2 : 7);
});

for (const type of TYPES)
  describe(type.name, () => {
    const runs = needing(...LIVE, ...(type.kernel === undefined ? [] : [{ kernel: type.kernel }]));
    const wish = (id: string) => ({ config: type.config(Number(id.at(-1))) });
    let live: LiveNode;
    let before: readonly string[];
    beforeAll(async () => {
      if (runs === test.skip) return;
      live = await makeLiveNode({
        name: "ty",
        config: { ipam: { coolDownSeconds: 0 }, reconcile: { debounceMs: 10 } },
      });
      await live.pods(...PODS);
      if (type.prepare !== undefined)
        await live.on("/bin/sh", "-ec", type.prepare.replace("OUTSIDE", live.outside.namespace));
      before = await live.left();
    }, 300_000);
    afterAll(async () => live?.[Symbol.asyncDispose]());

    runs.each(KILLS)(
      "killed in %s when %s ends",
      (verb, step) =>
        struck({ live, pods: PODS, wish, before }, verb, { SELVEDGE_KILL_AT: `${step}:1` }, () => live.daemon.ended()),
      120_000 * SLOW,
    );

    runs(
      "what others break is back, and so it is under the next daemon",
      async () => {
        for (const id of PODS) expect(await live.ask("ADD", id, wish(id))).toMatchObject({ exit: 0 });
        const whole = await seen(live);
        const words = await wordsOf(live);
        for (const restarted of [false, true]) {
          if (restarted) {
            await live.daemon.stop();
            await live.daemon.start();
          }
          for (const [where, command] of type.harm) {
            const filled = command.replaceAll(/HOST|SHARED/g, (word) => words[word] ?? word);
            if (where === "node") await live.on("/bin/sh", "-c", filled);
            else await live.within(PODS[0], "/bin/sh", "-c", filled);
            let found: readonly string[] = [];
            const back = async () => {
              found = await seen(live);
              return JSON.stringify(found) === JSON.stringify(whole) || undefined;
            };
            await eventually(filled, back, HEARD_MS * SLOW).catch(() =>
              expect({ restarted, filled, found }).toEqual({ restarted, filled, found: whole }),
            );
          }
        }
        for (const id of PODS) expect(await live.ask("CHECK", id, wish(id))).toMatchObject({ exit: 0, stdout: "" });
        for (const id of PODS) expect(await live.ask("DEL", id, wish(id))).toMatchObject({ exit: 0 });
      },
      120_000 * SLOW,
    );
  });

type Found = Readonly<Record<string, unknown>>;

const json = (text: string): Found[] => (text.trim() === "" ? [] : JSON.parse(text));

/** The node's links, addresses, routes, neighbours and VLANs and those of the pods, without what the kernel chooses anew. */
async function seen(live: LiveNode): Promise<string[]> {
  const places = [
    ["node", live.on] as const,
    ...PODS.map((id) => [id, (...argv: string[]) => live.within(id, ...argv)] as const),
  ];
  const lines = await Promise.all(
    places.map(async ([place, run]) => {
      const ip = async (...argv: string[]) => json(await run("ip", "-j", ...argv));
      const routes = [...(await ip("route", "show")), ...(await ip("-6", "route", "show"))];
      const vlans = place === "node" ? json(await run("bridge", "-j", "vlan", "show")) : [];
      return [
        ...(await ip("-d", "addr", "show")).flatMap((link) => linkLines(link)),
        ...routes
          .filter(({ dst }) => dst !== "fe80::/64")
          .map(({ dst, gateway, dev, prefsrc, metric, protocol }) => [
            "route",
            dst,
            gateway,
            dev,
            prefsrc,
            metric,
            protocol,
          ]),
        ...(await ip("neigh", "show", "nud", "permanent")).map(({ dst, dev, lladdr }) => ["neigh", dst, dev, lladdr]),
        ...vlans.map(({ ifname, vlans }) => ["vlans", ifname, vlans]),
      ].map((line) => `${place} ${JSON.stringify(line)}`);
    }),
  );
  return lines.flat().toSorted();
}

function linkLines({ ifname, flags, mtu, address, master, linkinfo, addr_info }: Found): unknown[] {
  const { info_kind, info_data } = (linkinfo ?? {}) as Found;
  const { mode, protocol, id, vlan_filtering } = (info_data ?? {}) as Found;
  // The MAC addresses of pairs and bridges of the node are nobody's business.
  const mac = info_kind === "veth" || info_kind === "bridge" ? undefined : address;
  const addresses = (addr_info as Found[]).filter(
    ({ local, prefixlen }) => !(String(local).startsWith("fe80:") && prefixlen === 64),
  );
  return [
    [
      "link",
      ifname,
      (flags as string[]).includes("UP"),
      mtu,
      mac,
      master,
      info_kind,
      mode,
      protocol,
      id,
      vlan_filtering,
    ],
    ...addresses.map(({ local, prefixlen }) => ["addr", ifname, local, prefixlen]),
  ];
}

/** Of the first pod: its link on the node, where it has one, and the link that it shares with the second. */
async function wordsOf(live: LiveNode): Promise<Readonly<Record<string, string | undefined>>> {
  const links = json(await live.on("ip", "-j", "link", "show"));
  const named = (alias: RegExp) =>
    links.find(({ ifalias }) => alias.test(String(ifalias)))?.ifname as string | undefined;
  return { HOST: named(new RegExp(`^selvedge ${PODS[0]} `)), SHARED: named(/^selvedge (shim|vlan) /) };
}
