/**
 * Prefixes as an API server takes them for a NetworkPolicy unless StrictIPCIDRValidation is on (k8s.io/utils/net,
 * ParseCIDRSloppy; pkg/apis/networking/validation, ValidateIPBlock). Whatever it takes has to be read: one object that is
 * refused keeps every pod of the cluster from starting on a node that begins.
 */
import {
  addressOf,
  contains,
  family,
  fromNumber,
  lengthOf,
  networkOf,
  type Prefix,
  prefix,
  rangeOf,
  withLength,
} from "#lib/address.ts";
import type { Found } from "#lib/parse.ts";

export interface Cidr {
  readonly prefix: Prefix;
  /** As it is written: of IPv4 within IPv6, 96 more than the prefix's. */
  readonly length: number;
}

/** Leading zeros mean nothing, and IPv4 within IPv6 is IPv4 (Go's net.IPNet). Host bits are kept. @throws SelvedgeError config-invalid */
export function lenientCidr({ value, path }: Found): Cidr {
  const plain = typeof value === "string" ? value.replaceAll(/(?<=^|[.:/])0+(?=[0-9a-f])/gi, "") : value;
  const written = prefix(plain, path);
  return { prefix: unmapped(written), length: lengthOf(written) };
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const MAPPED = 0xffffn;

function unmapped(of: Prefix): Prefix {
  const { first } = rangeOf(of);
  if (family(of) === 4 || lengthOf(of) < 96 || first >> 32n !== MAPPED) return of;
  return withLength(fromNumber(first & 0xffff_ffffn, 4), lengthOf(of) - 96);
}

/** Not the whole of it, as lengths are written. */
export const isPartOf = (inner: Cidr, outer: Cidr): boolean =>
  inner.length > outer.length && contains(outer.prefix, addressOf(networkOf(inner.prefix)));
