/**
 * Two clusters, a router at the edge of each, and two tunnels between these over networks of their own: pods of one reach
 * those of the other by the tunnel that is preferred, and by the other one when that fails.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { type ClusterNode, startNode } from "../cluster/node.ts";
import { namespaceOf } from "../cluster/place.ts";
import { RIG } from "../cluster/rig.ts";
import { PUBLIC_KEYS } from "../support/keys.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { MACHINE, TUNNELS } from "../support/vyos/machine.ts";
import { type Access, makeAccess } from "./access.ts";
import { API, type RunningRouter, startRouter } from "./router.ts";
import { pings } from "./telling.ts";

/** Of each side; `n` is in addresses, and in names of what must differ on one machine. */
const SIDES = {
  west: { n: 1, node: "a", as: 65_010, pool: "10.66.0.0/16", lan: "192.0.2.", version: "1.4" },
  east: { n: 2, node: "b", as: 65_020, pool: "10.70.0.0/16", lan: "203.0.113.", version: "rolling" },
} as const;
type Side = keyof typeof SIDES;
const OTHER = { west: "east", east: "west" } as const;
/** The networks between the routers, the preferred first. */
const LINES = [1, 2] as const;
const lineAddress = (side: Side, line: number): string => `198.51.100.${64 * line + SIDES[side].n}`;
const tunnelAddress = (side: Side, line: number): string => `10.255.${line}.${SIDES[side].n}`;
const keyOf = (side: Side, line: number): number => 2 * (line - 1) + SIDES[side].n - 1;

/** The routers, the networks between them, and a node behind each. */
async function wire(): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  for (const side of ["west", "east"] as const) {
    const { node, lan } = SIDES[side];
    for (const space of [side, namespaceOf(node)]) {
      await makeNamespace(space);
      stack.defer(() => removeNamespace(space));
    }
    await ip(side, `link add lan type veth peer name eth0 netns ${namespaceOf(node)}`);
    await ip(side, `addr add ${lan}254/24 dev lan`);
    await ip(side, "link set lan up");
    await ip(namespaceOf(node), `addr add ${lan}1/24 dev eth0`);
    await ip(namespaceOf(node), "link set eth0 up");
    await ip(namespaceOf(node), `route add default via ${lan}254`);
    await must(inside(side, ["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
  }
  for (const line of LINES) {
    await ip("west", `link add line${line} type veth peer name line${line} netns east`);
    for (const side of ["west", "east"] as const) {
      await ip(side, `addr add ${lineAddress(side, line)}/26 dev line${line}`);
      await ip(side, `link set line${line} up`);
    }
  }
  const kept = stack.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const configOf = (side: Side, { directory, settings }: Access): JsonObject => ({
  pools: [{ name: "default", ranges: [[{ subnet: SIDES[side].pool }]] }],
  networks: [{ name: "net", expose: true }],
  noMasquerade: [SIDES[OTHER[side]].pool],
  edge: {
    windowMs: 50,
    routers: [
      {
        name: side,
        url: `https://${SIDES[side].lan}254:${API}`,
        ...settings,
        static: {},
        sites: LINES.map((line) => ({
          name: `${OTHER[side]}-${line}`,
          interface: `wg${10 * SIDES[side].n + line}`,
          addresses: [`${tunnelAddress(side, line)}/30`],
          networks: [SIDES[OTHER[side]].pool],
          bgp: {
            as: SIDES[side].as,
            remoteAs: SIDES[OTHER[side]].as,
            neighbour: tunnelAddress(OTHER[side], line),
            localPreference: 300 - 100 * line,
          },
          wireguard: {
            privateKey: { file: join(directory, `wg-${keyOf(side, line)}`) },
            port: 51_820 + line,
            publicKey: PUBLIC_KEYS[keyOf(OTHER[side], line)] ?? "",
            endpoint: `${lineAddress(OTHER[side], line)}:${51_820 + line}`,
          },
        })),
      },
    ],
  },
});

needing(
  ...RIG,
  ...MACHINE,
  ...TUNNELS,
  { program: "openssl" },
  { file: grammarFile("1.4") },
  { file: grammarFile("rolling") },
)(
  "two clusters reach each other by WireGuard, and go on when the preferred tunnel fails",
  async () => {
    await using stack = new AsyncDisposableStack();
    const access = stack.use(makeAccess());
    for (const i of PUBLIC_KEYS.keys())
      writeFileSync(join(access.directory, `wg-${i}`), `${Buffer.alloc(32, i + 1).toString("base64")}\n`);
    stack.use(await wire());
    const begin = async (side: Side): Promise<[RunningRouter, ClusterNode]> => {
      const { version, lan, node } = SIDES[side];
      const identity = access.authority.issue(side, [`IP:${lan}254`]);
      const router = stack.use(await startRouter({ space: side, version, identity, host: `${lan}254` }));
      return [router, stack.use(await startNode(node, configOf(side, access)))];
    };
    const [west, here] = await begin("west");
    const [, there] = await begin("east");
    const from = await here.add("two-west");
    const to = await there.add("two-east");
    const reaches = () => pings(from.id, to.address[4]);
    const goesBy = async (link: string) =>
      (await ip("west", `route get ${to.address[4]}`)).includes(`dev ${link} `) || undefined;
    await eventually("the other cluster's pod is reached", reaches);
    await eventually("by the preferred tunnel", () => goesBy("wg11"));
    // Nothing but its pool is taken from the other side.
    expect((await west.vtysh("show ip route bgp")).match(/^B\S*\s+(\S+)/gm)).toEqual([`B>* ${SIDES.east.pool}`]);

    const isWatched = async () => /10\.255\.1\.2\s+up/.test(await west.vtysh("show bfd peers brief")) || undefined;
    await eventually("BFD watches it", isWatched);
    const beganMs = performance.now();
    await ip("east", "link set line1 down");
    await eventually("by the other tunnel", () => goesBy("wg12"));
    await eventually("it is reached by that", reaches);
    console.info(`a tunnel that failed is replaced after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
    await ip("east", "link set line1 up");
    await eventually("by the preferred tunnel again", () => goesBy("wg11"));
    expect(await eventually("it is reached by that again", reaches)).toBe(true);
  },
  180_000,
);
