/** Leases (coordination.k8s.io/v1), by which nodes say that they live. */
import type { Resource } from "#lib/k8s/api/resource.ts";
import { absent, fields, integer, root, text } from "#lib/parse.ts";
import { type ApiObject, SESSION } from "./object.ts";

export interface Lease {
  readonly name: string;
  /** Another one after each renewal. */
  readonly version: string;
  readonly holder: string;
  /** How long it holds without being renewed, ms. */
  readonly durationMs: number;
}

const API = "coordination.k8s.io/v1";

export const leasesIn = (namespace: string): Resource => ({
  plural: "leases.coordination.k8s.io",
  path: `/apis/${API}/namespaces/${encodeURIComponent(namespace)}/leases`,
  apiVersion: API,
  kind: "Lease",
});

/** MicroTime (meta/v1). */
const renewTime = (): string => new Date().toISOString().replace("Z", "000Z");

export interface Tenure {
  readonly holder: string;
  readonly seconds: number;
}

/** @param version of the one that it is put in place of */
export const leaseObject = (name: string, { holder, seconds }: Tenure, version?: string): ApiObject => ({
  apiVersion: API,
  kind: "Lease",
  metadata: {
    name,
    // Others' in the namespace have none.
    labels: { [SESSION]: name },
    ...(version === undefined ? {} : { resourceVersion: version }),
  },
  spec: { holderIdentity: holder, leaseDurationSeconds: Math.ceil(seconds), renewTime: renewTime() },
});

export const renewal = (): object => ({ spec: { renewTime: renewTime() } });

/** @throws SelvedgeError config-invalid */
export function leaseOf(object: ApiObject): Lease {
  const at = fields(root(object));
  const [metadata, spec] = [fields(at("metadata")), fields(at("spec"))];
  return {
    name: text(metadata("name")),
    version: text(metadata("resourceVersion")),
    holder: absent(spec("holderIdentity")) ? "" : text(spec("holderIdentity")),
    durationMs: 1_000 * integer(spec("leaseDurationSeconds"), { min: 1, max: 86_400, or: 15 }),
  };
}
