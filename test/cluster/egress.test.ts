/**
 * Pods that leave the cluster by an address of their own, by real daemons: seen from a machine outside, on every node and
 * in both families; holders that die, that lose their daemon, and that are cut off.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { echoStream } from "../support/echo-stream.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { makeOutside, OUTSIDE, outsideAddress, seenAs, seenFrom } from "./outside.ts";
import { answers } from "./ping.ts";
import { addressOf, type Family, type Name } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable } from "./wire.ts";

const FIXED = { 4: "198.51.100.200", 6: "2001:db8:2::200" } as const satisfies Record<Family, string>;
const FAMILIES = [4, 6] as const;
const HOLDERS = ["b", "c"] as const satisfies readonly Name[];
const CHOSEN = { args: { cni: { labels: [{ key: "app", value: "billing" }] } } };

const runs = needing(...RIG);
let rig: Rig;
let outside: AsyncDisposable;
const pods = new Map<Name, Pod>();
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({
    underlay: 4,
    families: [4, 6],
    cluster: {
      egress: [
        {
          name: "billing",
          addresses: [FIXED[4], FIXED[6]],
          pods: [{ labels: { app: "billing" } }],
          nodes: [...HOLDERS],
        },
      ],
    },
  });
  outside = await makeOutside();
  for (const name of ["a", "b", "c"] as const) pods.set(name, await rig.nodes[name].add(`cl-eg-${name}`, CHOSEN));
});
afterAll(async () => {
  await outside?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

const podOn = (name: Name): Pod => {
  const pod = pods.get(name);
  if (pod === undefined) throw new TypeError(`no pod on ${name}`);
  return pod;
};

/** Which nodes' kernels have the address. */
async function standsOn(family: Family): Promise<Name[]> {
  const found: Name[] = [];
  for (const name of HOLDERS)
    if ((await rig.nodes[name].on("ip", "-o", "addr", "show", "dev", "eth0")).includes(` ${FIXED[family]}/`))
      found.push(name);
  return found;
}

const seen = ({ id }: Pod, family: Family) => seenAs(id, FIXED[family]);

runs("the world outside sees the fixed address, whichever node the pod is on", async () => {
  for (const family of FAMILIES) {
    for (const name of ["a", "b", "c"] as const) await seen(podOn(name), family);
    expect(await standsOn(family)).toHaveLength(1);
  }
});

runs("other pods, and what stays in the cluster, are as before", async () => {
  const other = await rig.nodes.a.add("cl-eg-other");
  for (const family of FAMILIES) expect(await seenFrom(other.id, family)).toBe(addressOf("a", family));
  for (const family of FAMILIES) expect(await answers(podOn("a"), podOn("c"), family)).toBe(true);
});

/** Looks again and again, while something happens, for an address that two nodes have at once. */
async function watchedFor(work: () => Promise<void>): Promise<readonly string[]> {
  const twice: string[] = [];
  const ending = new AbortController();
  const looking = (async () => {
    for (; !ending.signal.aborted; await sleep(50))
      for (const family of FAMILIES) {
        const on = await standsOn(family);
        if (on.length > 1) twice.push(`${FIXED[family]} on ${on.join(" and ")}`);
      }
  })();
  await work().finally(() => ending.abort());
  await looking;
  return twice;
}

async function holderOf(family: Family): Promise<(typeof HOLDERS)[number]> {
  return eventually(
    "a holder",
    async () => (await standsOn(family))[0] as (typeof HOLDERS)[number] | undefined,
    60_000,
  );
}

interface Listed {
  readonly addresses: readonly {
    readonly address: string;
    readonly holder: string;
    readonly exit: string;
    readonly pods: readonly string[];
  }[];
}

runs("every node tells the same of who holds what, and what this means for its own pods", async () => {
  const holder = await holderOf(4);
  for (const name of ["a", "b", "c"] as const) {
    const { addresses } = (await rig.nodes[name].ctl("egress")) as Listed;
    expect(addresses.map(({ address }) => address)).toEqual([FIXED[4], FIXED[6]]);
    expect(addresses[0]).toMatchObject({ holder, exit: name === holder ? "here" : "node", pods: [`cl-eg-${name}`] });
    expect(await rig.nodes[name].ctl("plan")).toMatchObject({ lines: [] });
  }
});

/** What somebody else takes, on a node that sends packets to the holder. */
const TAKEN: readonly [what: string, command: string][] = [
  ["the rule", "ip rule del priority 5390"],
  ["the routes", "ip route flush table 53000"],
  ["the tunnel", "ip link del $(ip -o link show type vxlan | grep -o 'se4[0-9a-f]*' | head -n 1)"],
  ["the firewall", "nft delete table inet selvedge"],
];
for (const [what, command] of TAKEN)
  runs(
    `${what} that somebody takes is there again within two seconds, and nothing left under another address`,
    async () => {
      const pod = podOn("a");
      await seen(pod, 4);
      await rig.nodes.a.on("sh", "-c", command);
      const beganMs = performance.now();
      const answers = new Set<string>();
      await eventually(`${FIXED[4]} after ${what}`, async () => {
        const answer = await seenFrom(pod.id, 4);
        answers.add(answer);
        return answer === FIXED[4] || undefined;
      });
      // The connection itself waits a second for its first packet to be sent again; the rest is for a busy machine.
      expect(performance.now() - beganMs).toBeLessThan(8_000);
      answers.delete(FIXED[4]);
      if (what !== "the firewall") expect([...answers].filter((answer) => answer.includes("."))).toEqual([]);
    },
  );

runs("a holder goes on when its daemon is upgraded", async () => {
  const holder = await holderOf(4);
  await using stream = await echoStream({ from: podOn("a").id, to: OUTSIDE, address: outsideAddress(4) });
  const twice = await watchedFor(async () => {
    await rig.nodes[holder].daemon.kill();
    await rig.nodes[holder].daemon.start();
    await sleep(8_000);
  });
  expect(twice).toEqual([]);
  expect(await holderOf(4)).toBe(holder);
  expect(stream.longestMs()).toBeLessThan(1_000);
});

const FAULTS: readonly [
  fault: string,
  hit: (name: Name) => Promise<unknown>,
  heal: (name: Name) => Promise<unknown>,
][] = [
  ["is cut off", (name) => cable(name, false), (name) => cable(name, true)],
  ["loses its daemon", (name) => rig.nodes[name].daemon.kill(), (name) => rig.nodes[name].daemon.start()],
];

for (const [fault, hit, heal] of FAULTS)
  runs(
    `a holder that ${fault}: another has the address, and never two at once`,
    async () => {
      const holder = await holderOf(4);
      const other = HOLDERS.find((name) => name !== holder) ?? holder;
      const pod = podOn("a");
      await using stream = await echoStream({ from: pod.id, to: OUTSIDE, address: outsideAddress(4) });
      let tookMs = 0;
      const twice = await watchedFor(async () => {
        await hit(holder);
        const beganMs = performance.now();
        await eventually(
          `${FIXED[4]} on ${other}`,
          async () => (await standsOn(4)).join() === other || undefined,
          60_000,
        );
        for (const family of FAMILIES) await seen(pod, family);
        tookMs = performance.now() - beganMs;
        expect(await seenFrom(podOn(other).id, 4)).toBe(FIXED[4]);
      });
      const { heard } = stream;
      await eventually("the connection goes on", async () => stream.heard > heard || undefined);
      process.stdout.write(`a holder that ${fault}: seen outside again after ${(tookMs / 1_000).toFixed(1)} s\n`);
      await heal(holder);
      await seen(podOn(holder), 4);
      expect(twice).toEqual([]);
      expect(stream.ended).toBeNull();
    },
    180_000,
  );

runs(
  "without any holder the traffic is refused, and never leaves under another address",
  async () => {
    for (const name of HOLDERS) await cable(name, false);
    const answers = new Set<string>();
    await eventually("a refusal", async () => {
      const answer = await seenFrom(podOn("a").id, 4);
      answers.add(answer);
      return answer === "EHOSTUNREACH" || undefined;
    });
    expect([...answers].filter((answer) => answer.includes("."))).toEqual(
      [...answers].filter((answer) => answer === FIXED[4]),
    );
    for (const name of HOLDERS) await cable(name, true);
    await seen(podOn("a"), 4);
  },
  180_000,
);
