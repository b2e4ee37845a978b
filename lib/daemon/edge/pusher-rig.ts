/** A pusher in front of a router that stands in for one, in memory. For tests. */
import { address, prefix } from "#lib/address.ts";
import type { Reaches } from "#lib/echo/tcp.ts";
import type { EdgeView } from "#lib/edge/router.ts";
import { sampleRouter } from "#lib/edge/sample-router.ts";
import type { Event } from "#lib/log.ts";
import { space } from "#lib/store/shared-memory.ts";
import { fakeRouter } from "#lib/vyos/fake.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import { memory } from "./memory.ts";
import { pusher } from "./pusher.ts";
import type { PusherOptions } from "./pusher-options.ts";
import { writer } from "./writer.ts";

export const SPEC = sampleRouter({ static: { routes: "blocks" } });
/** One node with so many blocks that do not touch. */
export const view = (blocks: number): EdgeView => ({
  pools: [{ name: "default", prefixes: [prefix("10.0.0.0/8")], isExposed: true }],
  nodes: [
    {
      name: "alpha",
      addresses: [address("192.0.2.11")],
      isAlive: true,
      destinations: Array.from({ length: blocks }, (_, i) => ({
        pool: "default",
        prefix: prefix(`10.${i >> 7}.${(2 * i) & 255}.0/26`),
      })),
    },
  ],
  egress: [],
});

export function rig(
  options: Partial<PusherOptions> = {},
  through: (port: Vyos) => Vyos = (port) => port,
  version = "1.4.0",
  wait = async () => {},
  reaches: Reaches = async () => true,
) {
  const router = fakeRouter({ version });
  const keeper = space().open();
  const events: Event[] = [];
  let nowMs = 1_000_000;
  const make = (node: string) =>
    pusher(
      {
        router: through(router.open()),
        memory: memory(keeper, "edge1"),
        writer: writer(keeper, "edge1", { node, uid: `uid-${node}` }),
        log: (event) => void events.push(event),
        nowMs: () => nowMs,
        random: () => 0.5,
        wait,
        reaches,
      },
      {
        spec: async () => SPEC,
        router: "edge1",
        by: node,
        driftMs: 60_000,
        onDrift: "repair",
        deleteLimit: { percent: 20, paths: 5 },
        dryRun: false,
        confirmMinutes: 5,
        verifyMs: 30_000,
        probes: [],
        ...options,
      },
    );
  return {
    router,
    keeper,
    events,
    make,
    one: make("alpha"),
    later: (ms: number) => {
      nowMs += ms;
    },
  };
}
