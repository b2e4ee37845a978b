/** FRR on three nodes and in two routers: pods are reached from outside by what BGP tells. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { RouterList } from "#proto/selvedge_pb.ts";
import { eventually, inside, start } from "../../conformance/program.ts";
import { addressOf, type Name } from "../cluster/place.ts";
import { cable } from "../cluster/wire.ts";
import { needing } from "../support/requirement.ts";
import { EDGES, type EdgeName, edgeOn, makeWorld, OUTSIDE, outside, WORLD, type World } from "./world.ts";

const EGRESS = "192.0.2.200";
const NAMED = { args: { cni: { reservation: "vm:db" } } };

/** How long things took; nothing is asserted of most. */
const figures: string[] = [];
async function told(what: string, probe: () => Promise<true | undefined>): Promise<number> {
  const beganMs = performance.now();
  await eventually(what, probe);
  const tookMs = Math.round(performance.now() - beganMs);
  figures.push(`${what} after ${(tookMs / 1_000).toFixed(1)} s`);
  return tookMs;
}

function secretFile(secret: string): Disposable & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), "secret-"));
  const path = join(directory, "password");
  writeFileSync(path, `${secret}\n`);
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

interface Peer {
  readonly state: string;
  readonly peerUptimeMsec: number;
}
/** What a router has with a node. */
async function peerOf(world: World, edge: EdgeName, node: Name): Promise<Peer | undefined> {
  const { peers } = JSON.parse(await world.vtysh(edge, "show bgp ipv4 unicast summary json")) as {
    peers?: Record<string, Peer>;
  };
  return peers?.[addressOf(node, 4)];
}
const routesTo = async (world: World, edge: EdgeName, prefix: string): Promise<string> =>
  world.vtysh(edge, `show ip route ${prefix} longer-prefixes`);

/** Ten questions a second, and how many were not answered while `work` went on. */
async function lostDuring(address: string, work: () => Promise<void>): Promise<number> {
  const asking = start(inside(OUTSIDE, ["ping", "-i0.1", "-W1", "-q", "-I", outside(9), address]));
  let text = "";
  asking.stdout?.on("data", (bytes: Buffer) => {
    text += bytes.toString();
  });
  const ended = new Promise((resolve) => asking.once("exit", resolve));
  await work();
  asking.kill("SIGINT");
  await ended;
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  if (sent === undefined) throw new Error(`ping says ${text}`);
  return Number(sent) - Number(received);
}

needing(...WORLD)(
  "nodes tell two routers by BGP where pods are, and egress addresses",
  async () => {
    using secret = secretFile("a-long-secret");
    await using world = await makeWorld({
      cluster: {
        egress: [{ name: "out", addresses: [EGRESS], pods: [{ pod: "nobody" }], nodes: ["a", "b"], holdSeconds: 5 }],
      },
      router: (edge) => ({
        bgp: {
          as: 65_000,
          nodesAs: 65_001,
          // One router is on the networks of all nodes and has BFD; the other is called through a gateway by some.
          ...(edge === "edge1"
            ? { addresses: [edgeOn(edge, 1), edgeOn(edge, 2)], bfd: true }
            : { addresses: [edgeOn(edge, 1)], multihop: 2, defaultRoute: true }),
          password: { file: secret.path },
          listen: ["192.0.2.0/24", "198.51.100.0/24"],
        },
      }),
    });
    const { a, b, c } = world.rig.nodes;
    await world.lead("10.66.0.0/16", ...EDGES);
    const pods = [await a.add("bgp-a"), await b.add("bgp-b"), await c.add("bgp-c")];
    for (const pod of pods)
      for (const edge of EDGES) {
        await world.lead(`${pod.address[4]}/32`, edge);
        await eventually(`${pod.id} is reached by ${edge}`, () => world.reaches(pod.address[4]));
      }

    const { routers } = (await a.ctl("edge", "status")) as RouterList;
    expect(
      routers.map(({ name, sessions }) => [
        name,
        sessions.map(({ address, state, received }) => [address, state, received]),
      ]),
    ).toEqual([
      ["edge1", [["192.0.2.251", "Established", 0]]],
      // Its default route, of both families.
      ["edge2", [["192.0.2.252", "Established", 2]]],
    ]);

    // A fixed address.
    await a.ctl("reserve", "vm:db");
    const before = await eventually("the name on b", () => b.add("bgp-db", NAMED).catch(() => undefined));
    await world.lead(`${before.address[4]}/32`, "edge1");
    await eventually("it is reached on b", () => world.reaches(before.address[4]));
    await b.del("bgp-db");
    const after = await eventually("the name on c", () => c.add("bgp-db-2", NAMED).catch(() => undefined));
    expect(after.address).toEqual(before.address);
    expect(
      await told("a fixed address on another node is reached", () => world.reaches(after.address[4])),
    ).toBeLessThan(3_000);

    // The daemon starts again, then bgpd has to: what goes by the router without BFD goes on.
    const [pod] = pods;
    const since = await peerOf(world, "edge2", "a");
    if (pod === undefined || since === undefined) throw new TypeError("a pod and a session");
    const lost = await lostDuring(pod.address[4], async () => {
      await a.daemon.stop();
      await a.daemon.start();
      expect((await peerOf(world, "edge2", "a"))?.peerUptimeMsec).toBeGreaterThan(since.peerUptimeMsec);
      const speaker = await a.on("sh", "-c", `cat ${a.store.replace("state/state.db", "frr/selvedge/bgpd.pid")}`);
      process.kill(Number(speaker), "SIGKILL");
      await told("a new session after bgpd was killed", async () => {
        const now = await peerOf(world, "edge2", "a");
        return now?.state === "Established" && now.peerUptimeMsec < since.peerUptimeMsec ? true : undefined;
      });
    });
    // Without graceful restart it would be some sixty.
    expect(lost).toBeLessThan(30);
    figures.push(`${lost} of the pings meanwhile were lost`);

    // A node dies with its machine.
    const holder = await eventually("somebody holds the egress address", async () => {
      const found = await routesTo(world, "edge1", `${EGRESS}/32`);
      return (["a", "b"] as const).find((name) => found.includes(`via ${addressOf(name, 4)},`));
    });
    const other = holder === "a" ? "b" : "a";
    await cable(holder, false);
    await told("what a dead node has told is gone", async () =>
      (await routesTo(world, "edge1", "10.66.0.0/16")).includes(`via ${addressOf(holder, 4)},`) ? undefined : true,
    );
    await told(
      "its egress address leads to another",
      async () => (await routesTo(world, "edge1", `${EGRESS}/32`)).includes(`via ${addressOf(other, 4)},`) || undefined,
    );
    console.info(figures.join("\n"));
  },
  180_000,
);
