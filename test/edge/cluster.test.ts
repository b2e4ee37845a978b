/** Three nodes, etcd, and a router between them that follows the cluster: packets come from outside to the pods. */
import { expect } from "@jest/globals";
import type { PushList, RouterList } from "#proto/selvedge_pb.ts";
import { eventually, must } from "../../conformance/program.ts";
import { addressOf, NAMES, type Name, ROUTER, routerOn } from "../cluster/place.ts";
import { makeRig, RIG } from "../cluster/rig.ts";
import { cable } from "../cluster/wire.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE } from "../support/vyos/machine.ts";
import { makeAccess } from "./access.ts";
import { API, startRouter } from "./router.ts";
import { pings } from "./telling.ts";

const HOST = routerOn(1, 4);
const NAMED = { args: { cni: { reservation: "vm:db" } } };

/** How long things took. */
const figures: string[] = [];
async function told<T extends object | string | number | true>(
  what: string,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const beganMs = performance.now();
  const found = await eventually(what, probe);
  figures.push(`${what} after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
  return found;
}

needing(
  ...RIG,
  ...MACHINE,
  { file: grammarFile("rolling") },
  { program: "openssl" },
)(
  "pods are reached from outside; a dead node's routes go, a dead writer is followed by another",
  async () => {
    await using stack = new AsyncDisposableStack();
    const access = stack.use(makeAccess());
    const identity = access.authority.issue("edge1", [`IP:${HOST}`]);
    const rig = stack.use(
      await makeRig({
        underlay: 4,
        config: {
          networks: [{ name: "net", expose: true }],
          edge: {
            windowMs: 200,
            driftSeconds: 5,
            routers: [
              {
                name: "edge1",
                url: `https://${HOST}:${API}`,
                ...access.settings,
                static: { routes: "blocks" },
              },
            ],
          },
        },
      }),
    );
    stack.use(await startRouter({ space: ROUTER, version: "rolling", identity, host: HOST }));

    const pods = [await rig.nodes.a.add("edge-a"), await rig.nodes.b.add("edge-b")];
    const reaches = (address: string) => pings(ROUTER, address);
    for (const pod of pods) await eventually(`${pod.id} is reached`, () => reaches(pod.address[4]));

    const routesTo = async (name: Name) =>
      (await must(["ip", "-n", ROUTER, "route", "show", "via", addressOf(name, 4)]))
        .split("\n")
        .filter((line) => line.startsWith("10.66."));
    expect((await routesTo("b")).length).toBeGreaterThan(0);

    const phases = async (names: readonly Name[]) =>
      Object.fromEntries(
        await Promise.all(
          names.map(async (name) => {
            const { routers } = (await rig.nodes[name].ctl("edge", "status")) as RouterList;
            return [name, routers[0]?.phase];
          }),
        ),
      ) as Record<string, string>;
    const writerOf = (names: readonly Name[]) =>
      eventually("one of the nodes is the writer", async () => {
        const found = await phases(names);
        const writing = names.filter((name) => found[name] === "in-sync");
        return writing.length === 1 && names.length - 1 === names.filter((name) => found[name] === "standby").length
          ? writing[0]
          : undefined;
      });
    const early = await writerOf(NAMES);
    // Where a person orders something is where it is done.
    const first = NAMES.find((name) => name !== early) ?? early;
    expect(first).not.toBe(early);
    expect(await rig.nodes[first].ctl("edge", "apply", "edge1")).toMatchObject({ routers: [{ phase: "in-sync" }] });
    expect(await writerOf(NAMES)).toBe(first);

    const { a, b, c } = rig.nodes;
    await a.ctl("reserve", "vm:db");
    const before = await eventually("the name on b", () => b.add("edge-db", NAMED).catch(() => undefined));
    await eventually("it is reached on b", () => reaches(before.address[4]));
    await b.del("edge-db");
    const after = await eventually("the name on c", () => c.add("edge-db-2", NAMED).catch(() => undefined));
    expect(after.address).toEqual(before.address);
    await told("a fixed address on another node is reached", () => reaches(after.address[4]));
    const reachedMs = Date.now();
    const push = await eventually("the push that led there is over", async () => {
      const { pushes } = (await rig.nodes[first].ctl("edge", "history", "edge1")) as PushList;
      const leads = (line: string) => line.startsWith("+") && line.includes(`${after.address[4]}/32`);
      return pushes.findLast(({ lines, result }) => result === "done" && lines.some(leads));
    });
    const committedMs = Date.parse(push.at) + Number(push.tookMs);
    expect(committedMs).toBeGreaterThan(0);
    expect(reachedMs - committedMs).toBeLessThan(3_000);

    // Another node than the writer and than c dies with its machine: nothing leads there any more.
    const dead = (["b", "a"] as const).find((name) => name !== first) ?? "b";
    expect((await routesTo(dead)).length).toBeGreaterThan(0);
    await cable(dead, false);
    await told("what led to a dead node is gone", async () => ((await routesTo(dead)).length === 0 ? true : undefined));
    await cable(dead, true);
    await eventually("it is back", async () => ((await routesTo(dead)).length > 0 ? true : undefined));

    await rig.nodes[first].daemon.kill();
    const others = NAMES.filter((name) => name !== first);
    const second = await told("another node is the writer", () => writerOf(others));
    expect(second).not.toBe(first);
    const late = await rig.nodes[second].add("edge-late");
    await eventually("a pod that came since is reached", () => reaches(late.address[4]));
    console.info(figures.join("\n"));
  },
  300_000,
);
