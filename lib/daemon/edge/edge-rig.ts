/** The routers of a configuration that becomes another while a node runs, in front of stand-ins in memory. For tests. */
import { setTimeout as sleep } from "node:timers/promises";
import { address, prefix } from "#lib/address.ts";
import { type Config, parseConfig } from "#lib/config/config.ts";
import type { EdgeRouter } from "#lib/config/edge.ts";
import { DIALECTS } from "#lib/edge/dialect.ts";
import { lineOf } from "#lib/edge/path.ts";
import { render } from "#lib/edge/render/render.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { fakeSpeaker } from "#lib/frr/fake.ts";
import type { Event } from "#lib/log.ts";
import { type Space, space } from "#lib/store/shared-memory.ts";
import { type FakeRouter, fakeRouter } from "#lib/vyos/fake.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import type { Core } from "../core.ts";
import type { OpenRouter } from "./driven.ts";
import { type Edge, openEdge } from "./edge.ts";
import { specOf } from "./spec.ts";
import { edgeView } from "./view.ts";

/** @param routers in YAML, with `key: {file: …}` naming what `Fabric.secrets` has @param more besides, as of `edge` */
export const configOf = (routers: readonly string[], more = ""): Config =>
  parseConfig(`
pools: [{name: default, ranges: [[{subnet: 10.66.0.0/16}]]}, {name: media, ranges: [[{subnet: 10.67.0.0/16}]]}]
networks: [{name: net, expose: true}, {name: media, pool: media, expose: true}]
kubernetes: {}
edge: {windowMs: 0, verifySeconds: 0, deleteLimit: {percent: 100, paths: 1000}, ${more} routers: [${routers.join(", ")}]}
`);

export interface Fabric {
  readonly space: Space;
  /** What the router at a URL is, from its first mention on. */
  at(url: string): FakeRouter;
  /** By file; one that is not there cannot be read. */
  readonly secrets: Map<string, string>;
  /** How many work on a router at a time, at most, by name of the node and of the router. */
  readonly most: Map<string, number>;
  /** Commits of all routers wait until `letGo`. */
  hold(): void;
  letGo(): void;
  /** For whoever commits. */
  readonly gate: Promise<void>;
  later(ms: number): void;
  readonly nowMs: number;
}

export function fabric(): Fabric {
  const routers = new Map<string, FakeRouter>();
  let nowMs = 1_000_000;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  return {
    space: space(),
    at(url) {
      const made = routers.get(url) ?? fakeRouter();
      routers.set(url, made);
      return made;
    },
    secrets: new Map([["/key", "key"]]),
    most: new Map(),
    hold() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    letGo: () => gate.resolve(),
    get gate() {
      return gate.promise;
    },
    later(ms) {
      nowMs += ms;
    },
    get nowMs() {
      return nowMs;
    },
  };
}

export interface Node extends AsyncDisposable {
  readonly edge: Edge;
  readonly core: Core;
  readonly events: Event[];
  readonly keeper: ReturnType<Space["open"]>;
  readonly speaker: ReturnType<typeof fakeSpeaker>;
  /** Takes another configuration over, as the daemon does. */
  become(routers: readonly string[]): void;
  /** What the router of the configuration should have. */
  owed(name: string): Promise<string[]>;
}

/** A node of a cluster, running. */
export function node(net: Fabric, name: string, routers: readonly string[], more?: string): Node {
  const keeper = net.space.open();
  const events: Event[] = [];
  const speaker = fakeSpeaker();
  const config = configOf(routers, more);
  const working = new Map<string, number>();
  /** Counted, behind the gate, with the key that is in the file. */
  const through = ({ name: of, url, key }: EdgeRouter): Vyos => {
    const counted = async <T>(work: (vyos: Vyos) => Promise<T>): Promise<T> => {
      const now = (working.get(of) ?? 0) + 1;
      working.set(of, now);
      net.most.set(`${name} ${of}`, Math.max(net.most.get(`${name} ${of}`) ?? 0, now));
      try {
        return await work(net.at(url).open(await secretFrom(key)));
      } finally {
        working.set(of, (working.get(of) ?? 0) - 1);
      }
    };
    return {
      version: () => counted((vyos) => vyos.version()),
      read: (path) => counted((vyos) => vyos.read(path)),
      configure: (commands, options) =>
        counted(async (vyos) => {
          await net.gate;
          await vyos.configure(commands, options);
        }),
      confirm: () => counted((vyos) => vyos.confirm()),
      save: () => counted((vyos) => vyos.save()),
      show: (path) => counted((vyos) => vyos.show(path)),
    };
  };
  const secretFrom = async ({ file = "" }: EdgeRouter["key"]): Promise<string> => {
    const found = net.secrets.get(file);
    if (found !== undefined) return found;
    throw new SelvedgeError({ kind: "config-invalid", field: file }, `edge: ${file} is not there`);
  };
  const open: OpenRouter = (router) => ({ vyos: through(router), secretFrom, reaches: async () => true });
  const own = { name, addresses: [address("192.0.2.11")], uid: `uid-${name}` };
  const core = {
    config,
    shared: keeper,
    cluster: {
      self: { name, uid: own.uid },
      informed: true,
      connected: true,
      record: { addresses: own.addresses, segments: [prefix("192.0.2.0/24")] },
      peers: new Map(),
      egress: () => [],
      view: {
        nodes: new Map([["alpha", own]]),
        egress: new Map(),
        destinationsOf: () => [
          { pool: "default", prefix: prefix("10.66.0.0/26") },
          { pool: "media", prefix: prefix("10.67.0.0/26") },
        ],
      },
    },
    ipam: {
      subnets: (isMeant: (pool: string) => boolean) =>
        [["default", prefix("10.66.0.0/16")] as const, ["media", prefix("10.67.0.0/16")] as const].flatMap(
          ([pool, subnet]) => (isMeant(pool) ? [subnet] : []),
        ),
    },
    speaker,
    log: (event: Event) => void events.push(event),
    nowMs: () => net.nowMs,
    clockUs: () => 0,
  } as unknown as Core;
  const edge = openEdge(core, config.edge as NonNullable<Config["edge"]>, open, []);
  core.edge = edge;
  const ending = new AbortController();
  const done = Promise.all([edge.run(ending.signal), keeper.watch("edge/", edge.heed, ending.signal)]);
  return {
    edge,
    core,
    events,
    keeper,
    speaker,
    become(next) {
      core.config = configOf(next, more);
      edge.follow();
      edge.poke();
    },
    async owed(of) {
      const { routers: now = [], pairs = [] } = core.config.edge ?? {};
      const router = now.find((each) => each.name === of) as EdgeRouter;
      const spec = await specOf(router, pairs, secretFrom);
      return render(spec, edgeView(core), DIALECTS["1.4"]).flatMap(({ paths }) => paths.map(lineOf));
    },
    async [Symbol.asyncDispose]() {
      net.letGo();
      ending.abort();
      await edge.close();
      await done;
      await keeper[Symbol.asyncDispose]();
    },
  };
}

/** Once what is asked holds, while time goes on for these nodes. @throws Error when it does not, however long one waits */
export async function soon(
  what: string,
  net: Fabric,
  nodes: readonly Node[],
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let round = 0; round < 5_000; round++) {
    if (await holds()) return;
    if (round % 20 === 19 && nodes.length > 0) {
      net.later(61_000);
      for (const { edge } of nodes) edge.poke();
    }
    await sleep(1);
  }
  throw new Error(`${what}: it does not come to that`);
}
