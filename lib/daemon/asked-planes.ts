/** Who says which planes a pod is on. */
import { type Definition, definitionName } from "#lib/cni/network-definition.ts";
import { NETWORKS_ANNOTATION } from "#lib/cni/network-selection.ts";
import type { AskedPlane } from "#lib/cni/planes.ts";
import type { NetConf } from "#lib/cni/types.ts";
import type { Config } from "#lib/config/config.ts";
import type { ConfiguredPlane } from "#lib/config/network.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { matches } from "#lib/pattern.ts";
import { meansPod } from "./pod-rule.ts";

/** A configuration that names no network, but planes, is on the first of them itself. */
export function withItself(conf: NetConf): NetConf {
  const [first] = conf.planes ?? [];
  return conf.network !== undefined || first === undefined ? conf : { ...conf, network: first.network };
}

/**
 * The pod's annotation, else the configuration, else its network, else the first of the daemon's rules that holds.
 * Annotation and rules count for a container's first attachment only, since a runtime repeats them for each.
 * @throws SelvedgeError config-invalid: the annotation names a network that is not for the pod's namespace
 */
export function askedPlanes(config: Config, conf: NetConf, first: boolean): readonly AskedPlane[] {
  if (first && conf.wishes.planes !== undefined) {
    for (const plane of conf.wishes.planes) if (plane.network !== conf.network) refuseUninvited(config, conf, plane);
    return conf.wishes.planes;
  }
  if (conf.planes !== undefined) return conf.planes;
  const named = conf.network === undefined ? undefined : config.networks.get(conf.network);
  if (named !== undefined && named.planes.length > 0) return configured(named.planes, `network ${named.name}: planes`);
  const rule = first ? config.planeRules.find((each) => meansPod(each, conf)) : undefined;
  return configured(rule?.planes ?? [], "planeRules");
}

const configured = (planes: readonly ConfiguredPlane[], path: string): AskedPlane[] =>
  planes.map((plane) => ({ ...plane, ips: [], path }));

/**
 * Whoever may write a pod's annotations, or a definition, does not choose its tenant.
 * @throws SelvedgeError config-invalid naming `path`
 */
export function refuseUninvited(
  config: Config,
  { pod = "" }: NetConf,
  { network, path }: Pick<AskedPlane, "network" | "path">,
): void {
  const namespaces = config.networks.get(network)?.namespaces;
  const [own = ""] = pod.split("/");
  if (namespaces === undefined || namespaces.some((pattern) => matches(pattern, own))) return;
  const who = own === "" ? "of no namespace" : `of namespace ${JSON.stringify(own)}`;
  throw new SelvedgeError(
    { kind: "config-invalid", field: path },
    `${path}: the network ${JSON.stringify(network)} is not for pods ${who}`,
    { hint: "Its `namespaces` in the daemon's configuration lists whose pods may join it by annotation." },
  );
}

/** @throws SelvedgeError unsupported-field: the pod's links are another plugin's */
export function refusePlanesBehind(
  conf: NetConf,
  definitions: readonly { readonly definition: Definition }[] = [],
): void {
  const asked = [
    ...(conf.planes ?? []).map(({ network }) => network),
    ...definitions.map(({ definition }) => definitionName(definition)),
  ];
  if (conf.planes === undefined && definitions.length === 0) return;
  const field = conf.planes === undefined ? NETWORKS_ANNOTATION : "planes";
  throw new SelvedgeError(
    { kind: "unsupported-field", field },
    `${field}: ${JSON.stringify(asked)} is not supported behind another plugin, which makes the pod's links`,
    { hint: "Put Selvedge first in the list, or attach each plane by a list of its own." },
  );
}
