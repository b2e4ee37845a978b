/** The routers at the edge of the cluster, as the configuration has them. */
import type { Address } from "#lib/address.ts";
import type {
  BgpSpec,
  ForwardingSpec,
  IpsecSpec,
  PairSpec,
  RouterSpec,
  SiteSpec,
  WireguardSpec,
} from "#lib/edge/router.ts";

export interface Edge {
  readonly routers: readonly EdgeRouter[];
  readonly pairs: readonly EdgePair[];
  /** How long changes of the cluster are gathered before they are pushed. */
  readonly windowMs: number;
  /** How often each router is looked at though nothing has changed. */
  readonly driftSeconds: number;
  readonly onDrift: "repair" | "report";
  /** A push that takes away more than both waits for a person. */
  readonly deleteLimit: { readonly percent: number; readonly paths: number };
  readonly dryRun: boolean;
  /** 0: commits are not taken back. */
  readonly confirmMinutes: number;
  /** How long what was up before a push may be down after it; 0: nobody looks. */
  readonly verifySeconds: number;
  readonly speaker: EdgeSpeaker;
}

/** Where FRR on the node has its sockets unless the configuration says otherwise. */
export const SPEAKER_DIRECTORY = "/run/frr/selvedge";
/** Where Debian's package has FRR's programs. */
export const SPEAKER_PROGRAMS = "/usr/lib/frr";

/** FRR on the node, for the routers that it has sessions with. */
export interface EdgeSpeaker {
  /** TCP; 0: routers cannot call it. */
  readonly port: number;
  readonly holdSeconds: number;
  /** How long routers keep what it said while it starts again; 0: not at all. Absent: as lib/edge thinks best. */
  readonly restartSeconds?: number;
  readonly directory: string;
  /** Directory of FRR's programs. */
  readonly programs: string;
}

/** Two routers as one; the first is preferred. */
export interface EdgePair extends Omit<PairSpec, "isPreferred" | "networks"> {
  readonly networks: readonly (PairSpec["networks"][number] & {
    /** Of the nodes' default routes by its addresses. */
    readonly defaultRouteMetric?: number;
  })[];
  /** Names of both. */
  readonly routers: readonly string[];
}

/** Where a secret is; one of the three. */
export interface SecretReference {
  readonly file?: string;
  /** Variable of the daemon's. */
  readonly environment?: string;
  readonly secret?: { readonly name: string; readonly namespace: string; readonly key: string };
}

/** With how it is reached, and where its secrets are. */
export interface EdgeRouter extends Omit<RouterSpec, "bgp" | "forwarding" | "pair" | "sites"> {
  readonly url: string;
  readonly key: SecretReference;
  readonly trust: { readonly ca?: string; readonly fingerprint?: string };
  readonly commitSeconds: number;
  /** Beyond it, by TCP: who was reached before a push must be after it. */
  readonly probes: readonly { readonly address: Address; readonly port: number }[];
  readonly bgp?: Omit<BgpSpec, "password"> & { readonly password?: SecretReference };
  readonly zones: ForwardingSpec["zones"];
  readonly sites: readonly EdgeSite[];
  /** It is one of Kubernetes' objects; absent: of the configuration file. */
  readonly isObject?: true;
}

export interface EdgeSite extends Omit<SiteSpec, "wireguard" | "ipsec"> {
  readonly wireguard?: Omit<WireguardSpec, "privateKey" | "presharedKey"> & {
    readonly privateKey: SecretReference;
    readonly presharedKey?: SecretReference;
  };
  readonly ipsec?: Omit<IpsecSpec, "secret"> & { readonly secret: SecretReference };
}
