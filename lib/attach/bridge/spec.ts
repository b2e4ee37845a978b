/** The fields of the attachment type `bridge`, named as the reference plugin names them. */
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, flag, linkName, optional, refuse, text } from "#lib/parse.ts";

export interface BridgeSpec {
  readonly bridge: string;
  /** The bridge holds the gateway's address. */
  readonly isGateway: boolean;
  /** Pods get a default route by the gateway; implies `isGateway`. */
  readonly isDefaultGateway: boolean;
  readonly hairpin: boolean;
  readonly promiscuous: boolean;
  /** `macspoofchk`: absent when not given. */
  readonly spoofProtection?: boolean;
  /** The pod's link stays down and has no addresses. */
  readonly disabled: boolean;
}

/** @throws SelvedgeError config-invalid, unsupported-field */
export function parse(config: Found): BridgeSpec {
  const at = fields(config);
  refuseVlans(at);
  const isDefaultGateway = flag(at("isDefaultGateway"), { or: false });
  const hairpin = flag(at("hairpinMode"), { or: false });
  const promiscuous = flag(at("promiscMode"), { or: false });
  if (hairpin && promiscuous) refuse(at("promiscMode"), "possible together with hairpinMode: set one of the two");
  const disabled = flag(at("disableContainerInterface"), { or: false });
  const ipam = optional(at("ipam"), (found) => fields(found)("type"));
  if (disabled && ipam !== undefined && !absent(ipam) && text(ipam) !== "")
    refuse(at("disableContainerInterface"), "possible together with ipam: a link that stays down has no address");
  // Read so that a wrong type is refused. Duplicate address detection is never waited for, and the addresses of a bridge
  // of ours always are those that its attachments want, which is what forceAddress asks for.
  flag(at("enabledad"), { or: false });
  flag(at("forceAddress"), { or: false });
  const spoofProtection = optional(at("macspoofchk"), (found) => flag(found));
  return {
    bridge: absent(at("bridge")) || at("bridge").value === "" ? "selvedge0" : linkName(at("bridge")),
    isGateway: flag(at("isGateway"), { or: false }) || isDefaultGateway,
    isDefaultGateway,
    hairpin,
    promiscuous,
    ...(spoofProtection === undefined ? {} : { spoofProtection }),
    disabled,
  };
}

/** What each VLAN field may hold because it says nothing. */
const WITHOUT_VLANS: readonly [field: string, says: (value: unknown) => boolean][] = [
  ["vlan", (value) => value === 0],
  ["vlanTrunk", (value) => Array.isArray(value) && value.length === 0],
  ["preserveDefaultVlan", (value) => value === true],
];

function refuseVlans(at: (key: string) => Found): void {
  for (const [key, saysNothing] of WITHOUT_VLANS) {
    const { path, value } = at(key);
    if (absent({ path, value }) || saysNothing(value)) continue;
    throw new SelvedgeError(
      { kind: "unsupported-field", field: path },
      `${path}: ${JSON.stringify(value)} is not supported: the attachment type "bridge" knows no VLANs`,
      { hint: 'A network with VLANs is an attachment type of its own, "vlan" or "vlan-bridge".' },
    );
  }
}
