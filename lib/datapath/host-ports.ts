/** `portMappings`: ports of the node that lead to a pod. One element of a map for each port and family. */
import { type Address, type Family, family } from "#lib/address.ts";
import type { PortMapping } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { element } from "#lib/state/element.ts";
import { type ElementFact, type Fact, identity } from "#lib/state/fact.ts";

export interface Published {
  readonly mappings: readonly PortMapping[];
  /** The pod's addresses; the first of each family is the destination. */
  readonly addresses: readonly Address[];
}

/** Every address of a family. A mapping without `hostIp` means both families. */
const ANY = { 4: "0.0.0.0", 6: "::" } as const satisfies Record<Family, string>;

/**
 * @throws SelvedgeError config-invalid when two mappings name one host port, or when the pod has no address of the
 *   family that a mapping asks for
 */
export function portElements({ mappings, addresses }: Published): ElementFact[] {
  const made = new Map<string, ElementFact>();
  mappings.forEach((mapping, i) => {
    const targets = targetsOf(mapping, addresses);
    const field = `runtimeConfig.portMappings[${i}]`;
    if (targets.length === 0)
      throw invalid(
        field,
        `${field}: host port ${hostSide(mapping)} needs a pod address of its family, and the pod has none`,
      );
    for (const target of targets) {
      const port = portElement(mapping, target);
      const id = identity(port);
      if (made.has(id)) throw invalid(field, `${field}: host port ${claimOf(port)} is mapped twice`);
      made.set(id, port);
    }
  });
  return [...made.values()];
}

/** First address of each family that the mapping speaks of. */
function targetsOf({ hostIp }: PortMapping, addresses: readonly Address[]): Address[] {
  const families: readonly Family[] = hostIp === undefined ? [4, 6] : [family(hostIp)];
  return families.flatMap((f) => addresses.find((a) => family(a) === f) ?? []);
}

function portElement({ hostIp, protocol, hostPort, containerPort }: PortMapping, target: Address): ElementFact {
  const f = family(target);
  const port = [protocol, String(hostPort)];
  const value = [target, String(containerPort)];
  return hostIp === undefined || hostIp === ANY[f]
    ? element("inet", f === 4 ? "ports4" : "ports6", port, value)
    : element("inet", f === 4 ? "ports4_ip" : "ports6_ip", [hostIp, ...port], value);
}

/**
 * What an element claims of the node, `tcp 0.0.0.0:8080`; undefined for elements that are no host port. Two attachments
 * conflict when they claim the same. A port on one address and the same port on all do not: the narrower one wins.
 */
export function claimOf({ set, key }: ElementFact): string | undefined {
  switch (set) {
    case "ports4":
    case "ports6":
      return claim(key[0], ANY[set === "ports4" ? 4 : 6], key[1]);
    case "ports4_ip":
    case "ports6_ip":
      return claim(key[1], key[0], key[2]);
    default:
      return undefined;
  }
}

const claim = (protocol = "", ip = "", port = ""): string => `${protocol} ${ip.includes(":") ? `[${ip}]` : ip}:${port}`;

/** Every host port that the facts of an attachment claim. */
export const hostPortClaims = (facts: readonly Fact[]): string[] =>
  facts.flatMap((f) => (f.type === "element" ? (claimOf(f) ?? []) : []));

const hostSide = ({ hostIp, protocol, hostPort }: PortMapping): string =>
  hostIp === undefined ? `${protocol} ${hostPort}` : claim(protocol, hostIp, String(hostPort));

const invalid = (field: string, message: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, message);
