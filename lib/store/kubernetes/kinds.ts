/** Which object of the API holds the value of a key. Their definitions are in install/kubernetes/store.yaml. */
import { GROUP, type Resource, VERSION } from "#lib/k8s/api/resource.ts";

export interface Kind extends Resource {
  /** Keys that begin so are of this kind. */
  readonly prefix: string;
  /** The value is a record (a JSON object), which is the object's `spec`. Absent: key and value are texts in `spec`. */
  readonly record?: Recorded;
}

export interface Recorded {
  /** Fields of it that make the rest of the key. */
  readonly fields: readonly string[];
  readonly restOf: (values: readonly string[]) => string;
}

const kind = (name: string, plural: string, prefix: string, record?: Recorded): Kind => ({
  prefix,
  ...(record === undefined ? {} : { record }),
  kind: name,
  plural: `${plural}.${GROUP}`,
  apiVersion: `${GROUP}/${VERSION}`,
  path: `/apis/${GROUP}/${VERSION}/${plural}`,
});

const joined = (...fields: readonly string[]): Recorded => ({ fields, restOf: (values) => values.join("/") });
const blockOf: Recorded = {
  fields: ["pool", "prefix"],
  restOf: ([pool, prefix = ""]) => `${pool}/${prefix.replace("/", "-")}`,
};

/** What is of no other kind. */
const RECORDS = kind("SharedRecord", "sharedrecords", "");

/** `RECORDS` is the last. */
export const KINDS: readonly Kind[] = [
  kind("SelvedgeNode", "selvedgenodes", "nodes/", joined("name")),
  kind("AddressBlock", "addressblocks", "blocks/", blockOf),
  kind("FixedAddress", "fixedaddresses", "fixed/", joined("pool", "address")),
  kind("Reservation", "reservations", "reservations/", joined("pool", "name")),
  kind("EgressAddress", "egressaddresses", "egress/", joined("address")),
  kind("SegmentEndpoint", "segmentendpoints", "endpoints/", joined("network", "node", "mac")),
  RECORDS,
];

export const kindOf = (key: string): Kind => KINDS.find(({ prefix }) => key.startsWith(prefix)) ?? RECORDS;

/** The kinds of which there may be keys that begin so. */
export const kindsBelow = (within: string): readonly Kind[] =>
  KINDS.filter(({ prefix }) =>
    prefix === "" ? kindOf(within).prefix === "" : prefix.startsWith(within) || within.startsWith(prefix),
  );
