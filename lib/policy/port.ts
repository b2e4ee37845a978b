/** Ports of a NetworkPolicy, and names of ports. */
import { absent, type Found, fields, integer, oneOf, refuse, text } from "#lib/parse.ts";
import { onlyFields } from "./fields.ts";
import type { PortMatch, Protocol } from "./objects.ts";

export const PORT = { min: 1, max: 65_535 } as const;
const WORDS = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const satisfies Record<string, Protocol>;

/** `TCP` where nothing is said. @throws SelvedgeError config-invalid */
export const protocol = (found: Found): Protocol =>
  WORDS[oneOf(found, Object.keys(WORDS) as (keyof typeof WORDS)[], { or: "TCP" })];

/** IANA_SVC_NAME (RFC 6335 section 5.1). @throws SelvedgeError config-invalid */
export function portName(found: Found): string {
  const name = text(found);
  const valid =
    name.length <= 15 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && /[a-z]/.test(name) && !name.includes("--");
  return valid
    ? name
    : refuse(found, "a port: a number from 1 to 65535, or a name of at most 15 lower-case letters, digits and -");
}

/** networking.k8s.io/v1 NetworkPolicyPort. @throws SelvedgeError config-invalid */
export function portMatch(found: Found): PortMatch {
  onlyFields(found, ["protocol", "port", "endPort"]);
  const at = fields(found);
  const of = protocol(at("protocol"));
  const [port, end] = [at("port"), at("endPort")];
  if (typeof port.value === "string") {
    if (!absent(end)) refuse(end, "absent, as a port with a name begins no range");
    return { kind: "named", name: portName(port), protocol: of };
  }
  if (absent(port)) {
    if (!absent(end)) refuse(end, "absent where there is no port that the range begins with");
    return { kind: "range", protocol: of, first: 0, last: PORT.max };
  }
  const first = integer(port, PORT);
  const last = integer(end, { min: first, max: PORT.max, or: first });
  return { kind: "range", protocol: of, first, last };
}
