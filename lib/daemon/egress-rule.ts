/** By which addresses a pod leaves the cluster, as the configuration has it. */
import type { NetConf } from "#lib/cni/types.ts";
import type { Config } from "#lib/config/config.ts";
import type { EgressAddresses } from "#lib/config/egress.ts";
import { meansPod } from "./pod-rule.ts";

/** Addresses, with their place in the configuration. */
export interface Leaving extends Pick<EgressAddresses, "addresses"> {
  readonly index: number;
}

/** The first whose rules mean the pod; further planes are meant by the name of their network alone. */
export function leavingOf({ cluster }: Pick<Config, "cluster">, conf: NetConf): Leaving | undefined {
  const all = cluster?.egress ?? [];
  const index = all.findIndex(({ pods }) =>
    pods.some(
      (rule) =>
        rule.tenant === undefined &&
        (rule.network === undefined ? conf.further !== true : rule.network === conf.network) &&
        meansPod(rule, conf),
    ),
  );
  const found = all[index];
  return found && { index, addresses: found.addresses };
}

/** All pods of a tenant, as the node sees them: by their router's address. */
export function leavingOfTenant({ cluster }: Pick<Config, "cluster">, tenant: string): Leaving | undefined {
  const all = cluster?.egress ?? [];
  const index = all.findIndex(({ pods }) => pods.some((rule) => rule.tenant === tenant));
  const found = all[index];
  return found && { index, addresses: found.addresses };
}
