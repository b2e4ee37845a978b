/** Which object of the API holds the value of a key. Their definitions are in install/kubernetes/store.yaml. */
import type { Resource } from "#lib/k8s/api/resource.ts";

export interface Kind extends Resource {
  /** Keys that begin so are of this kind. */
  readonly prefix: string;
  /**
   * The value is a record (a JSON object), which is the object's `spec`; these fields of it, each with `-` for `/`, are the rest
   * of the key. Absent: key and value are texts in `spec`.
   */
  readonly segments?: readonly string[];
}

export const GROUP = "selvedge.dev";
const VERSION = "v1alpha1";

const kind = (name: string, plural: string, of: Pick<Kind, "prefix" | "segments">): Kind => ({
  ...of,
  kind: name,
  plural: `${plural}.${GROUP}`,
  apiVersion: `${GROUP}/${VERSION}`,
  path: `/apis/${GROUP}/${VERSION}/${plural}`,
});

/** What is of no other kind. */
const RECORDS = kind("SharedRecord", "sharedrecords", { prefix: "" });

/** `RECORDS` is the last. */
export const KINDS: readonly Kind[] = [
  kind("SelvedgeNode", "selvedgenodes", { prefix: "nodes/", segments: ["name"] }),
  kind("AddressBlock", "addressblocks", { prefix: "blocks/", segments: ["pool", "prefix"] }),
  kind("FixedAddress", "fixedaddresses", { prefix: "fixed/", segments: ["pool", "address"] }),
  kind("Reservation", "reservations", { prefix: "reservations/", segments: ["pool", "name"] }),
  kind("EgressAddress", "egressaddresses", { prefix: "egress/", segments: ["address"] }),
  kind("SegmentEndpoint", "segmentendpoints", { prefix: "endpoints/", segments: ["network", "node", "mac"] }),
  RECORDS,
];

export const kindOf = (key: string): Kind => KINDS.find(({ prefix }) => key.startsWith(prefix)) ?? RECORDS;

/** The kinds of which there may be keys that begin so. */
export const kindsBelow = (within: string): readonly Kind[] =>
  KINDS.filter(({ prefix }) =>
    prefix === "" ? kindOf(within).prefix === "" : prefix.startsWith(within) || within.startsWith(prefix),
  );
