/** Two routers as one: nodes leave, and are reached, by addresses that one of the two has at a time. */
import { expect } from "@jest/globals";
import type { RouterList } from "#proto/selvedge_pb.ts";
import { ip } from "../../conformance/namespace.ts";
import { eventually } from "../../conformance/program.ts";
import { capture } from "../attach/capture.ts";
import { addressOf, namespaceOf, ROUTER, routerOn } from "../cluster/place.ts";
import { needing } from "../support/requirement.ts";
import { PAIRS } from "../support/vyos/machine.ts";
import { pings } from "./telling.ts";
import { EDGES, type EdgeName, makeWorld, OUTSIDE, outside, spaceOf, WORLD } from "./world.ts";

/** Of whichever of the two is the master: on both networks of the nodes, and outside. */
const [HERE, THERE, BEYOND] = ["192.0.2.250", "198.51.100.250", outside(250)];
/** Farther than the network outside (RFC 2544). */
const FAR = "198.18.0.9";

needing(...WORLD, ...PAIRS)(
  "pods go out and back by a pair of routers, and by the other when the master is gone",
  async () => {
    await using world = await makeWorld({
      router: () => ({ static: { routes: "pools" } }),
      edge: {
        pairs: [
          {
            name: "gate",
            routers: [...EDGES],
            networks: [
              { interface: "eth1", vrid: 10, addresses: [`${HERE}/24`], defaultRouteMetric: 50 },
              { interface: "eth2", vrid: 20, addresses: [`${THERE}/24`], defaultRouteMetric: 50 },
              { interface: "eth0", vrid: 30, addresses: [`${BEYOND}/24`] },
            ],
          },
        ],
      },
    });
    const { a, b, c } = world.rig.nodes;
    await ip(OUTSIDE, `addr add ${FAR}/32 dev br0`);
    await ip(OUTSIDE, `route add 192.0.2.0/24 via ${BEYOND}`);
    for (const edge of EDGES) await ip(spaceOf(edge), `route add ${FAR}/32 via ${outside(9)}`);
    // What the operator has on node a counts less than the pair.
    const operators = `default via ${routerOn(1, 4)} dev eth0`;
    await ip(namespaceOf("a"), `route add ${operators} metric 100`);
    await ip(namespaceOf("a"), `route del ${operators} metric 0`);

    /** By the word of each router, as its writer heard it. */
    const roles = async (): Promise<Partial<Record<string, string>>> => {
      const lists = await Promise.all(
        [a, b, c].map(async (node) => (await node.ctl("edge", "status").catch(() => ({ routers: [] }))) as RouterList),
      );
      return Object.fromEntries(
        lists.flatMap(({ routers }) => routers.filter(({ role }) => role !== "")).map(({ name, role }) => [name, role]),
      );
    };
    const isMaster = (edge: EdgeName) => async () => ((await roles())[edge] === "master" ? true : undefined);

    const pod = await a.add("pair-pod");
    const reaches = () => pings(pod.id, FAR);
    await eventually("the first is the master", isMaster("edge1"), 60_000);
    await eventually("the second is not", async () => ((await roles()).edge2 === "backup" ? true : undefined), 60_000);
    await eventually(
      "the node's default route leads there",
      async () => ((await a.on("ip", "route", "show", "default")).includes(`via ${HERE} dev`) ? true : undefined),
      60_000,
    );
    await eventually("the pod reaches what is far", reaches, 60_000);

    const passes = async (edge: EdgeName): Promise<void> => {
      await using seen = await capture(spaceOf(edge));
      const told: string[] = [];
      await eventually(
        `packets pass ${edge}`,
        async () => {
          await reaches();
          told.push(...(await seen.seen()));
          return told.some((line) => line.endsWith(`in ${addressOf("a", 4)} ${FAR}`)) || undefined;
        },
        60_000,
      );
    };
    await passes("edge1");

    const wire = async (state: "up" | "down"): Promise<void> => {
      for (const segment of [1, 2]) await ip(ROUTER, `link set edge1-${segment} ${state}`);
      await ip(OUTSIDE, `link set edge1 ${state}`);
    };
    await wire("down");
    await eventually("the pod reaches it by the other", reaches, 60_000);
    await passes("edge2");
    await eventually("the other is the master", isMaster("edge2"), 60_000);

    await wire("up");
    await eventually("the first takes over again", isMaster("edge1"), 90_000);
    await eventually("the pod goes on", reaches, 60_000);
    expect(await ip(namespaceOf("a"), "route show default")).toContain(`via ${HERE} dev`);
  },
  400_000,
);
