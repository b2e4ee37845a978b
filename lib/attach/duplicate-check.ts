/** Looking for an address on the wire before it is used (RFC 5227 for IPv4, RFC 4862 section 5.4 for IPv6). */
import { absent, type Found, fields, integer, refuse } from "#lib/parse.ts";

export interface DuplicateCheck {
  /** How often each address is asked for. */
  readonly probes: number;
  /** Between two probes, and after the last, ms. */
  readonly intervalMs: number;
}

/**
 * RFC 5227 section 1.1 waits for up to 7 s, for switches that come up slowly. A pod's link is in a network that runs
 * already, where an answer takes less than a millisecond.
 */
const USUAL: DuplicateCheck = { probes: 3, intervalMs: 100 };

/** `duplicateCheck`: undefined when it is `false`. @throws SelvedgeError config-invalid */
export function parseDuplicateCheck(config: Found): DuplicateCheck | undefined {
  const found = fields(config)("duplicateCheck");
  if (found.value === false) return undefined;
  if (absent(found) || found.value === true) return USUAL;
  if (typeof found.value !== "object") return refuse(found, "false or an object such as {probes: 3, intervalMs: 100}");
  const at = fields(found);
  return {
    probes: integer(at("probes"), { min: 1, max: 10, or: USUAL.probes }),
    intervalMs: integer(at("intervalMs"), { min: 10, max: 1_000, or: USUAL.intervalMs }),
  };
}
