/** A router with static routes and NAT: where packets go and what is changed in them, by captures on both sides of it. */
import { expect } from "@jest/globals";
import type { PushList, RouterList } from "#proto/selvedge_pb.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { capture } from "../attach/capture.ts";
import { cable } from "../cluster/wire.ts";
import { needing } from "../support/requirement.ts";
import { crowd } from "./crowd.ts";
import { PORT, seen, telling } from "./telling.ts";
import { makeWorld, OUTSIDE, outside, outsideOf, spaceOf, WORLD } from "./world.ts";

/** Of the router, besides its own: one that is a pod's, one of a published service, one that a pod leaves by. */
const [ONE, PUBLIC, LEAVING] = [outside(70), outside(80), outside(90)];
const fixed = (n: number): string => `10.66.250.${n}`;
const named = (name: string) => ({ args: { cni: { reservation: `vm:${name}` } } });
/** On each of the three nodes. */
const CROWD = 334;
/** What the machine outside has of its own, first. */
const CLIENT = outside(9);

needing(...WORLD)(
  "packets go through a router's routes and NAT; new pods are nothing to it, a dead node is",
  async () => {
    await using world = await makeWorld({
      edges: ["edge1"],
      config: {
        defaults: { ipMasq: false },
        pools: [{ name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]], blockSize: { 4: 28 } }],
        reservations: [
          { name: "vm:one", addresses: [fixed(9)] },
          { name: "vm:leaving", addresses: [fixed(10)] },
          { name: "vm:web", addresses: [fixed(11)] },
        ],
      },
      router: () => ({
        static: { routes: "pools" },
        nat: {
          oneToOne: [{ outside: ONE, inside: fixed(9), interface: "eth0" }],
          egress: [{ source: `${fixed(10)}/32`, address: LEAVING, interface: "eth0" }],
          masquerade: [{ interface: "eth0" }],
          publish: [{ name: "web", interface: "eth0", address: PUBLIC, port: 443, to: `${fixed(11)}:${PORT}` }],
        },
      }),
    });
    const { a, b, c } = world.rig.nodes;
    await world.lead("10.66.0.0/16", "edge1");
    for (const address of [ONE, PUBLIC, LEAVING])
      await must(["ip", "-n", spaceOf("edge1"), "addr", "add", `${address}/32`, "dev", "eth0"]);
    const one = await a.add("nat-one", named("one"));
    const leaving = await b.add("nat-leaving", named("leaving"));
    const web = await c.add("nat-web", named("web"));
    const plain = await c.add("nat-plain");
    for (const pod of [one, leaving, web, plain])
      await eventually(`${pod.id} is reached`, () => world.reaches(pod.address[4]));

    await using _outside = await telling(OUTSIDE);
    await using _one = await telling(one.id);
    await using _web = await telling(web.id);
    await using before = await capture(spaceOf("edge1"));
    await using after = await capture(web.id);

    // Published: the address and the port outside lead to those of the pod, which sees who asks.
    expect(await seen(OUTSIDE, PUBLIC, 443)).toBe(CLIENT);
    expect(await before.seen()).toContain(`eth0 in ${CLIENT} ${PUBLIC}`);
    expect(await after.seen()).toContain(`eth0 in ${CLIENT} ${fixed(11)}`);

    // One to one, both ways; an address to leave by; the router's own for everybody else.
    await using wire = await capture(OUTSIDE);
    expect(await seen(OUTSIDE, ONE)).toBe(CLIENT);
    expect(await seen(one.id, CLIENT)).toBe(ONE);
    expect(await seen(leaving.id, CLIENT)).toBe(LEAVING);
    expect(await seen(plain.id, CLIENT)).toBe(outsideOf("edge1"));
    const inward = (await before.seen())
      .filter((line) => / in 10\.66\./.test(line))
      .map((line) => line.split(" in ")[1]);
    expect(inward).toEqual(
      expect.arrayContaining([fixed(9), fixed(10), plain.address[4]].map((source) => `${source} ${CLIENT}`)),
    );
    const outward = (await wire.seen())
      .filter((line) => line.startsWith("edge1 in "))
      .map((line) => line.split(" ")[2]);
    expect(outward).toEqual(expect.arrayContaining([ONE, LEAVING, outsideOf("edge1")]));
    expect(outward.filter((source) => source?.startsWith("10.66."))).toEqual([]);

    // A thousand pods, and the blocks that they need.
    const pushes = async () => ((await a.ctl("edge", "history", "edge1")) as PushList).pushes.length;
    const looks = async () => {
      const lists = await Promise.all([a, b, c].map((node) => node.ctl("edge", "status") as Promise<RouterList>));
      return lists.reduce((sum, { routers }) => sum + Number(routers[0]?.looks), 0);
    };
    const blocksOf = async () =>
      (await world.rig.etcd.ctl("get", "--prefix", "--keys-only", "/selvedge/v1/blocks/")).split("\n").filter(Boolean)
        .length;
    const [pushed, blocks] = [await pushes(), await blocksOf()];
    expect(pushed).toBeGreaterThan(0);
    await using crowds = new AsyncDisposableStack();
    for (const node of [a, b, c]) crowds.use(await crowd(node, CROWD));
    await eventually("more blocks", async () => ((await blocksOf()) > blocks ? true : undefined));
    const looked = await looks();
    await eventually("the writer looks again", async () => ((await looks()) > looked + 1 ? true : undefined));
    expect(await pushes()).toBe(pushed);

    // All sources, and so every node, lead to the pod; then one node is gone.
    const all = async () =>
      (await Promise.all(Array.from({ length: 8 }, (_, n) => world.reaches(web.address[4], 9 + n)))).every(Boolean) ||
      undefined;
    await eventually("all reach it", all);
    await cable("a", false);
    const beganMs = performance.now();
    await eventually("all reach it again", all);
    console.info(
      `a dead node's share of the traffic goes by the others after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`,
    );

    // The dead node may be the writer still, and lets go of nothing.
    const rolledBack = async () => {
      for (const node of [b, c]) if (await node.ctl("edge", "rollback", "--all").catch(() => undefined)) return true;
      return undefined;
    };
    await eventually("nothing of Selvedge's stays", rolledBack);
    expect(await must(inside(spaceOf("edge1"), ["nft", "list", "ruleset"]))).not.toMatch(/10\.66|203\.0\.113/);
    expect(await world.vtysh("edge1", "show ip route static")).not.toContain("10.66");
  },
  400_000,
);
