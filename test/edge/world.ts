/**
 * The rig's nodes with two routers at the edge, and a machine outside of the cluster behind both. Each router is on both
 * networks of the nodes; what it is told becomes real in its namespace.
 */
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { inside, must, run } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { NAMES, namespaceOf, ROUTER, SEGMENTS, segmentOf } from "../cluster/place.ts";
import { makeRig, RIG, type Rig } from "../cluster/rig.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE } from "../support/vyos/machine.ts";
import { makeAccess } from "./access.ts";
import { API, type RunningRouter, startRouter } from "./router.ts";

/** For `needing`. */
export const WORLD = [
  ...RIG,
  ...MACHINE,
  { program: "openssl" },
  { file: grammarFile("1.4") },
  { file: grammarFile("rolling") },
] as const;

export const EDGES = ["edge1", "edge2"] as const;
export type EdgeName = (typeof EDGES)[number];
const VERSION = { edge1: "1.4", edge2: "rolling" } as const;
const NUMBER = { edge1: 251, edge2: 252 } as const;
const NETWORK = { 1: "192.0.2.", 2: "198.51.100." } as const;

/** Addresses outside (RFC 5737); the machine there has several, so that not all it sends takes one way. */
export const OUTSIDE = "edge-world";
export const outside = (n: number): string => `203.0.113.${n}`;
export const outsideOf = (edge: EdgeName): string => outside(NUMBER[edge]);
export const edgeOn = (edge: EdgeName, segment: 1 | 2): string => `${NETWORK[segment]}${NUMBER[edge]}`;
/** Of its namespace. */
export const spaceOf = (edge: EdgeName): string => `edge-${edge}`;

export interface World extends AsyncDisposable {
  readonly rig: Rig;
  /** What the machine outside sends to a prefix goes by these routers. */
  lead(prefix: string, ...edges: readonly EdgeName[]): Promise<void>;
  /** What FRR of a router answers. */
  vtysh(edge: EdgeName, command: string): Promise<string>;
  /** Whether an answer comes from an address when it is asked from the outside's nth. */
  reaches(address: string, n?: number): Promise<true | undefined>;
}

export interface WorldOptions {
  /** Laid over each router's configuration. */
  readonly router: (edge: EdgeName) => JsonObject;
  readonly edges?: readonly EdgeName[];
  /** Laid over `cluster`, `edge` and the whole of the nodes' configuration. */
  readonly cluster?: JsonObject;
  readonly edge?: JsonObject;
  readonly config?: JsonObject;
}

export async function makeWorld(options: WorldOptions): Promise<World> {
  const { router, edges = EDGES, cluster = {}, edge: more = {}, config = {} } = options;
  await using stack = new AsyncDisposableStack();
  const access = stack.use(makeAccess());
  const rig = stack.use(
    await makeRig({
      underlay: 4,
      cluster,
      config: {
        networks: [{ name: "net", expose: true }],
        ...config,
        edge: {
          windowMs: 200,
          driftSeconds: 5,
          ...more,
          routers: edges.map((name) => ({
            name,
            url: `https://${edgeOn(name, 1)}:${API}`,
            ...access.settings,
            ...router(name),
          })),
        },
      },
    }),
  );
  await makeNamespace(OUTSIDE);
  stack.defer(() => removeNamespace(OUTSIDE));
  await ip(OUTSIDE, "link add br0 type bridge");
  await ip(OUTSIDE, "link set br0 up");
  for (let n = 9; n < 17; n++) await ip(OUTSIDE, `addr add ${outside(n)}/24 dev br0`);
  for (const name of NAMES) {
    const hops = edges.flatMap((edge) => ["nexthop", "via", edgeOn(edge, segmentOf(name))]);
    await must(["ip", "-n", namespaceOf(name), "route", "add", `${outside(0)}/24`, ...hops]);
  }
  const running = new Map<EdgeName, RunningRouter>();
  for (const edge of edges) {
    await plug(edge);
    stack.defer(() => removeNamespace(spaceOf(edge)));
    const identity = access.authority.issue(edge, [`IP:${edgeOn(edge, 1)}`]);
    const options = { space: spaceOf(edge), version: VERSION[edge], identity, host: edgeOn(edge, 1) };
    running.set(edge, stack.use(await startRouter(options)));
  }
  const kept = stack.move();
  return {
    rig,
    async lead(prefix, ...by) {
      const hops = by.flatMap((edge) => ["nexthop", "via", outsideOf(edge)]);
      await must(["ip", "-n", OUTSIDE, "route", "replace", prefix, ...hops]);
    },
    async vtysh(edge, command) {
      return (await running.get(edge)?.vtysh(command)) ?? "";
    },
    async reaches(address, n = 9) {
      const asked = ["ping", "-c1", "-W1", "-I", outside(n), address];
      return (await run(inside(OUTSIDE, asked))).exit === 0 ? true : undefined;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A router on both networks of the nodes, and outside. */
async function plug(edge: EdgeName): Promise<void> {
  const space = spaceOf(edge);
  await makeNamespace(space);
  for (const segment of SEGMENTS) {
    await ip(space, `link add eth${segment} type veth peer name ${edge}-${segment} netns ${ROUTER}`);
    await ip(ROUTER, `link set ${edge}-${segment} master seg${segment} up`);
    await ip(space, `addr add ${edgeOn(edge, segment)}/24 dev eth${segment}`);
    await ip(space, `link set eth${segment} up`);
  }
  await ip(space, `link add eth0 type veth peer name ${edge} netns ${OUTSIDE}`);
  await ip(OUTSIDE, `link set ${edge} master br0 up`);
  await ip(space, `addr add ${outsideOf(edge)}/24 dev eth0`);
  await ip(space, "link set eth0 up");
  // What comes by one network may go by another; multipath chooses by ports and addresses.
  await must(inside(space, ["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
}
