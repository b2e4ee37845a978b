/** What one attachment's network is: the runtime's configuration over the daemon's named network over the defaults. */

import type { PodRoute } from "#lib/attach/kind.ts";
import { attachmentType, type Plan, plan } from "#lib/attach/kinds.ts";
import type { Dns, NetConf } from "#lib/cni/types.ts";
import type { Config } from "#lib/config/config.ts";
import type { Encapsulation } from "#lib/config/network.ts";
import { optionsOf } from "#lib/config/shorthand.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, refuse, root } from "#lib/parse.ts";
import type { PodQos, Qos } from "#lib/qos.ts";

export interface Settings {
  /** Of its attachment type, with the fields of its own read. */
  readonly plan: Plan;
  /** Pools of the daemon's configuration that are drawn from in order, unless the request names one or brings ranges of its own. */
  readonly pools: readonly string[];
  /** Bytes; absent: the path's. */
  readonly mtu?: number;
  readonly ipMasq: boolean;
  readonly spoofProtection: boolean;
  /** Absent: only where the network is one of several planes. */
  readonly policyRouting?: boolean;
  readonly qos: Qos;
  /** What all interfaces of the pod may take together, where this is the pod's own network. */
  readonly podQos?: PodQos;
  /** Whose network it is. Absent: the node's own. */
  readonly tenant?: string;
  /** The result names the pod's probe address first. */
  readonly reportProbeAddress: boolean;
  readonly encapsulation?: Encapsulation;
  /** Name of the network, where it is one segment on all nodes of the cluster. */
  readonly stretched?: string;
  readonly routes: readonly PodRoute[];
  readonly dns: Dns;
  /** Where the attachment type reads its own fields. */
  readonly options: Found;
}

/** @throws SelvedgeError config-invalid, unsupported-field: a network that is not configured, an unknown attachment type, its fields */
export function settingsOf(config: Config, conf: NetConf): Settings {
  const named = conf.network === undefined ? undefined : config.networks.get(conf.network);
  if (conf.network !== undefined && named === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "network" },
      `network: ${JSON.stringify(conf.network)} is not a network of the daemon's configuration; known: ${[...config.networks.keys()].join(", ") || "none"}`,
    );
  if (named?.isLeaving === true)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "network" },
      `network: ${JSON.stringify(conf.network)} has been deleted, or made anew with other settings than its pods have, and takes no more`,
      { hint: "One that has been made anew takes pods when the last one of the earlier has gone from this node." },
    );
  if (named?.tenant !== undefined && config.tenants.get(named.tenant)?.isLeaving === true)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "network" },
      `network: ${JSON.stringify(conf.network)} is of tenant ${JSON.stringify(named.tenant)}, which has been deleted, and takes no more`,
    );
  const base = named ?? config.defaults;
  const mtu = conf.mtu || base.mtu;
  const attachment = attachmentType({ path: "attachment", value: conf.attachment ?? base.attachment });
  const at = fields(conf.raw);
  if (named?.encapsulation !== undefined) refuseVlans(conf, "encapsulation");
  if (named?.stretch !== undefined) refuseVlans(conf, "stretch");
  const policyRouting = conf.policyRouting ?? named?.policyRouting;
  const podQos = conf.podQos ?? named?.podQos;
  const options = root({
    ...(named === undefined ? {} : objectOf(named.options)),
    ...optionsOf(attachment, { parent: at("parent").value, vlan: at("vlan").value }),
    ...objectOf(conf.raw),
  });
  return {
    plan: plan(attachment, options),
    pools: named?.pools ?? [config.defaultPool],
    ...(mtu === undefined ? {} : { mtu }),
    ipMasq: conf.ipMasq ?? base.ipMasq,
    spoofProtection: conf.spoofProtection ?? base.spoofProtection,
    ...(policyRouting === undefined ? {} : { policyRouting }),
    qos: { ...named?.qos, ...conf.qos },
    ...(podQos === undefined ? {} : { podQos }),
    ...(named?.tenant === undefined ? {} : { tenant: named.tenant }),
    reportProbeAddress: named?.reportProbeAddress ?? false,
    ...(named?.encapsulation === undefined ? {} : { encapsulation: named.encapsulation }),
    ...(named?.stretch === undefined ? {} : { stretched: named.name }),
    routes: named?.routes ?? [],
    dns: { ...named?.dns, ...conf.dns, ...conf.wishes.dns },
    options,
  };
}

/** Of a network that is one segment across nodes: the tunnel carries frames without a VLAN. */
function refuseVlans({ raw }: NetConf, setting: "encapsulation" | "stretch"): void {
  const at = fields(raw);
  for (const found of [at("vlan"), at("vlanTrunk")]) {
    const { value } = found;
    const isNone = absent(found) || value === 0 || (Array.isArray(value) && value.length === 0);
    if (!isNone) refuse(found, `possible on a network with ${setting}, whose frames have no VLAN`);
  }
}

const objectOf = (found: Found): object => {
  fields(found);
  return (found.value as object | undefined) ?? {};
};
