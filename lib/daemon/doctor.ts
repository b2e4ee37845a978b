/** `selvedgectl doctor`: what this machine has for each attachment type, and what ails it. */
import { NEEDS } from "#lib/attach/needs.ts";
import { storeText } from "#lib/config/cluster.ts";
import { survey } from "#lib/kernel/survey.ts";
import { type Feature, remedy } from "#lib/state/features.ts";
import type { Diagnosis } from "#proto/selvedge_pb.ts";
import type { Core } from "./core.ts";
import { health, type Situation } from "./health.ts";
import type { Reconciler } from "./reconcile.ts";

/** @throws SelvedgeError kernel */
export async function doctor(core: Core, reconciler: Reconciler): Promise<Diagnosis> {
  const { config } = core;
  const features = await core.kernel.features();
  return {
    findings: health(await survey(config.socket), {
      nowMs: core.nowMs(),
      waitingFor: [...core.waitingFor],
      lastReconcileMs: reconciler.last.atMs,
      reconcileEveryMs: config.reconcile.everySeconds * 1_000,
      plan: await reconciler.plan(),
      pathMtu: core.node.pathMtu,
      networkMtus: [...config.networks.values()].flatMap(({ name, mtu }) => (mtu === undefined ? [] : [[name, mtu]])),
      socket: config.socket,
      ...meetingOf(core),
      ...(core.policies === undefined ? {} : { refused: core.policies.refused }),
    }),
    types: typesOf(features),
    features: features.map(({ name, option, module = "", present }) => ({
      name,
      option,
      module,
      present,
      remedy: present ? "" : remedy(name),
    })),
  };
}

function meetingOf({ config, cluster }: Core): Pick<Situation, "meeting"> {
  if (config.cluster === undefined || cluster === undefined) return {};
  const { connected, away } = cluster;
  return { meeting: { place: storeText(config.cluster.store), isReached: connected, away } };
}

function typesOf(features: readonly Feature[]): Diagnosis["types"] {
  const present = new Set(features.filter((feature) => feature.present).map(({ name }) => name));
  return [...NEEDS].map(([name, needs]) => ({
    name,
    needs: [...needs],
    missing: needs.filter((feature) => !present.has(feature)),
  }));
}
