/** What an attachment wants of each host that one of its planes is on. */
import type { Fact } from "#lib/state/fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { NODE } from "./host.ts";

export interface Part {
  /** Name of the host. */
  readonly host: string;
  /** On the host and in the pod. */
  readonly facts: readonly Fact[];
}

/** The node's part first; it is left out where all planes are tenants'. */
export function partsOf({ facts, tenantFacts = {} }: Pick<AttachmentRecord, "facts" | "tenantFacts">): Part[] {
  const tenants = Object.entries(tenantFacts).map(([host, of]) => ({ host, facts: of }));
  return facts.length > 0 || tenants.length === 0 ? [{ host: NODE, facts }, ...tenants] : tenants;
}

/** Every fact, whichever host it is for. */
export const allFacts = (record: Pick<AttachmentRecord, "facts" | "tenantFacts">): Fact[] =>
  partsOf(record).flatMap(({ facts }) => facts);

/** What its addresses are leased to: each of its interfaces. */
export const leaseKeys = ({ containerId, ifname, planes }: AttachmentRecord): AttachmentKey[] =>
  planes === undefined ? [{ containerId, ifname }] : planes.map((plane) => ({ containerId, ifname: plane.ifname }));
