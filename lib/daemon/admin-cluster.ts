/** What `selvedgectl` shows of the cluster. */
import type { Family } from "#lib/address.ts";
import type { AdminHandlers } from "#lib/api/server.ts";
import type { ProbeReport } from "#lib/cluster/probing.ts";
import { type ChosenWay, isChosen, type NoWay } from "#lib/cluster/ways.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { type PeerWay, Probes, type Reach } from "#proto/selvedge_pb.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { handshakes } from "./cluster/handshakes.ts";
import { mesh } from "./cluster/mesh.ts";
import { probeMtus } from "./cluster/mtu-probe.ts";
import type { Peer } from "./cluster/peers.ts";
import type { Core } from "./core.ts";
import { leaversNamed } from "./leaving.ts";

type Handlers = Pick<
  AdminHandlers,
  "listNodes" | "listBlocks" | "listPeers" | "listEgress" | "testConnectivity" | "probeMtu"
>;

/** A full mesh of more is a table that nobody reads, and a value that no store takes. */
const MOST_NODES = 200;
const WAIT_MS = { usual: 5_000, longest: 60_000 };
/** Longer than a round trip between nodes that are one cluster. */
const PATIENCE_MS = 500;

export function adminCluster(core: Core): Handlers {
  const { cluster, shared, log } = core;
  if (cluster === undefined || shared === undefined) return REFUSED;
  const reaches = (nodes: readonly string[]): Reach[] =>
    [...cluster.peers.values()]
      .filter(({ record }) => nodes.includes(record.name))
      .map((peer) => reachOf(cluster, peer));
  const round = mesh({ shared, self: cluster.self.name, reaches, log });
  cluster.listen(round);

  return {
    listNodes: async () => ({
      nodes: [...cluster.view.nodes.values()].sort(byName).map((record) => {
        const self = record.name === cluster.self.name;
        const heardOf = cluster.view.alive.get(record.name) === record.uid;
        return {
          name: record.name,
          uid: record.uid,
          self,
          liveness: cluster.peers.get(record.name)?.liveness ?? (self && heardOf ? "alive" : "silent"),
          heardOf,
          addresses: [...record.addresses],
          ways: [...record.ways],
          destinations: cluster.view.destinationsOf(record.name).length,
          version: record.version,
        };
      }),
      storeReached: cluster.connected === true,
      doubted: cluster.view.doubted,
      trouble: cluster.trouble ?? "",
    }),

    listBlocks: async () => ({
      blocks: (core.blocks?.list() ?? []).map(({ pool, prefix, node, uid, use, lent, fixed }) => ({
        pool,
        prefix,
        node,
        own: uid === cluster.self.uid,
        size: use?.size ?? 0,
        used: use?.used ?? 0,
        cooling: use?.cooling ?? 0,
        free: use?.free ?? 0,
        lent: Object.entries(lent).map(([address, to]) => `${address} ${to.node}`),
        fixed: [...fixed],
      })),
    }),

    listPeers: async () => {
      const handshakeOf = await handshakes(core.kernel, cluster.record);
      return {
        peers: [...cluster.peers.values()]
          .sort((a, b) => byName(a.record, b.record))
          .map(({ record, liveness, ways }) => ({
            name: record.name,
            liveness,
            ways: ([4, 6] as const).map((family) =>
              wayShown(family, ways[family], cluster.unansweredByWay(record.name)),
            ),
            probes: probesShown(cluster.probesOf(record.name)),
            lastHandshake: handshakeOf(record),
          })),
      };
    },

    listEgress: async () => ({
      addresses: cluster.egress().map(({ name, address, holder, sinceMs, exit, reason }) => ({
        name,
        address,
        holder: holder ?? "",
        since: sinceMs === 0 ? "" : new Date(sinceMs).toISOString(),
        exit,
        reason,
        pods: leaversNamed(core, core.config.cluster?.egress.findIndex((each) => each.name === name) ?? -1),
      })),
    }),

    testConnectivity: async ({ nodes, waitMs }) => {
      const asked = nodes.length > 0 ? nodes : [...cluster.view.nodes.keys()];
      refuseUnknown(asked, cluster.view.nodes);
      if (asked.length > MOST_NODES)
        throw new SelvedgeError(
          { kind: "config-invalid", field: "nodes" },
          `${asked.length} nodes are too many for one table; name at most ${MOST_NODES} of them`,
        );
      const answers =
        cluster.connected === true
          ? await round.ask(asked, Math.min(waitMs || WAIT_MS.usual, WAIT_MS.longest))
          : new Map([[cluster.self.name, reaches(asked)]]);
      return {
        reaches: [...answers].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, of]) => [...of]),
        silent: asked.filter((name) => !answers.has(name)).sort(),
      };
    },

    probeMtu: async ({ nodes }) => {
      refuseUnknown(nodes, cluster.peers);
      const asked = nodes.length > 0 ? nodes : [...cluster.peers.keys()];
      const alive = asked.flatMap((name) => cluster.peers.get(name) ?? []).filter((peer) => peer.liveness === "alive");
      const found = await probeMtus({ peers: alive, ask: core.askWhole, patienceMs: PATIENCE_MS });
      const answered = new Set(found.map(({ peer }) => peer));
      return {
        findings: found.map(({ isRight, ...finding }) => ({ ...finding, right: isRight })),
        unasked: asked.filter((name) => !answered.has(name)).sort(),
      };
    },
  };
}

const alone = (): Promise<never> =>
  Promise.reject(
    new SelvedgeError(
      { kind: "config-invalid", field: "cluster" },
      "this node is alone: its configuration has no section `cluster`",
    ),
  );
const REFUSED: Handlers = {
  listNodes: alone,
  listBlocks: alone,
  listPeers: alone,
  listEgress: alone,
  testConnectivity: alone,
  probeMtu: alone,
};

/** @throws SelvedgeError config-invalid */
function refuseUnknown(names: readonly string[], known: ReadonlyMap<string, unknown>): void {
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "nodes" },
    `nodes: none is called ${JSON.stringify(unknown)}; there are ${[...known.keys()].sort().slice(0, 10).join(", ")}`,
  );
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

const wayShown = (family: Family, way: ChosenWay | NoWay, unanswered = 0): PeerWay =>
  isChosen(way)
    ? {
        family,
        way: way.way,
        encrypted: way.encrypted,
        to: way.to,
        link: way.egress.link,
        mtu: way.mtuBytes,
        reason:
          unanswered === 0 ? way.reason : `${way.reason}; by it nothing is answered, ${unanswered} times in a row`,
      }
    : { family, way: "", encrypted: false, to: "", link: "", mtu: 0, reason: way.reason };

const probesShown = (report: ProbeReport | undefined): Probes =>
  Probes.of({
    sent: report?.sent ?? 0,
    lost: report?.lost ?? 0,
    lostInARow: report?.lostInARow ?? 0,
    rttUs: Math.round(report?.rttUs?.last ?? 0),
    rttMedianUs: Math.round(report?.rttUs?.median ?? 0),
    rttLongestUs: Math.round(report?.rttUs?.longest ?? 0),
  });

function reachOf(cluster: Cluster, { record: { name }, liveness, ways }: Peer): Reach {
  const [four, six] = [wayShown(4, ways[4]), wayShown(6, ways[6])];
  return {
    from: cluster.self.name,
    to: name,
    liveness,
    way4: four.way,
    mtu4: four.mtu,
    way6: six.way,
    mtu6: six.mtu,
    probes: probesShown(cluster.probesOf(name)),
  };
}
