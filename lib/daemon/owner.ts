/** By which name an attachment has its addresses, and whether they are kept for that name. */
import type { NetConf } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Pool } from "#lib/ipam/pool.ts";
import { fields, flag, optional } from "#lib/parse.ts";
import type { Core } from "./core.ts";

export interface Owner {
  /** The pod's namespace/name, unless it goes by another. Absent: nobody told. */
  readonly pod?: string;
  readonly keep: boolean;
}

/** @throws SelvedgeError config-invalid: a name that is not its own or that has nothing, nothing to keep addresses for */
export function ownerOf(core: Pick<Core, "config" | "ipam">, conf: NetConf, pool: string | Pool): Owner {
  const keep = keeps(core, conf, pool);
  const pod = nameOf(conf);
  if (conf.wishes.reservation !== undefined) mustBeIts(core, conf.wishes.reservation, conf, keep);
  if (keep && pod === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "keepAddress" },
      "keepAddress: there is no name to keep the address for",
      { hint: "The runtime tells it by K8S_POD_NAMESPACE and K8S_POD_NAME, or by RESERVATION, in CNI_ARGS." },
    );
  return { ...(pod === undefined ? {} : { pod }), keep };
}

/** The name that it goes by. Absent: nobody told. */
export const nameOf = ({ wishes, pod }: NetConf): string | undefined => wishes.reservation ?? pod;

/** What the pod says of itself, else the configuration list, else the network, else the pool. */
function keeps({ config }: Pick<Core, "config">, conf: NetConf, pool: string | Pool): boolean {
  const network = conf.network === undefined ? undefined : config.networks.get(conf.network);
  const ofPool = config.pools.find(({ name }) => name === pool);
  return (
    conf.wishes.keepAddress ??
    optional(fields(conf.raw)("keepAddress"), flag) ??
    network?.keepAddress ??
    ofPool?.keepAddress ??
    false
  );
}

/** A pod may go by any name but that of another namespace's pod. */
function mustBeIts({ ipam }: Pick<Core, "ipam">, name: string, { pod }: NetConf, keep: boolean): void {
  const slash = name.indexOf("/");
  if (pod !== undefined && slash >= 0 && name.slice(0, slash) !== pod.slice(0, pod.indexOf("/")))
    throw wrong(`${JSON.stringify(name)} is a name of another namespace than that of ${pod}`);
  if (!keep && !ipam.isReserved(name)) throw wrong(`nothing is reserved for ${JSON.stringify(name)}`);
}

const wrong = (what: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field: "reservation" }, `reservation: ${what}`, {
    hint: "`selvedgectl reservations` lists what is.",
  });
