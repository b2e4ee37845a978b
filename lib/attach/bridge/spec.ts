/** The fields of the attachment type `bridge`, named as the reference plugin names them. */
import { absent, type Found, fields, flag, integer, linkName, list, optional, refuse, text } from "#lib/parse.ts";

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
  /** The VLAN of what the pod sends without a tag (access, or the native one of a trunk). Absent: the bridge knows none. */
  readonly vlan?: number;
  /** VLANs that the pod sends and gets with their tags, in order. */
  readonly trunk: readonly number[];
  /** The port stays on the VLAN that the bridge gives every port by itself, too. */
  readonly preserveDefaultVlan: boolean;
}

/** @throws SelvedgeError config-invalid, unsupported-field */
export function parse(config: Found): BridgeSpec {
  const at = fields(config);
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
  const bridge = absent(at("bridge")) || at("bridge").value === "" ? "selvedge0" : linkName(at("bridge"));
  const isGateway = flag(at("isGateway"), { or: false }) || isDefaultGateway;
  const { vlan, trunk } = parseVlans(at);
  if (isGateway && vlan !== undefined) refuseLongName(at("bridge"), bridge, vlan);
  return {
    bridge,
    isGateway,
    isDefaultGateway,
    hairpin,
    promiscuous,
    ...(spoofProtection === undefined ? {} : { spoofProtection }),
    disabled,
    ...(vlan === undefined ? {} : { vlan }),
    trunk,
    preserveDefaultVlan: flag(at("preserveDefaultVlan"), { or: false }),
  };
}

/** VLAN of a trunk's frames without a tag where nothing else is said, as in the reference plugin. */
const NATIVE_VLAN = 1;

function parseVlans(at: (key: string) => Found): Pick<BridgeSpec, "vlan" | "trunk"> {
  const vlan = absent(at("vlan")) ? 0 : integer(at("vlan"), { min: 0, max: LAST_VLAN });
  const trunk = new Set(list(at("vlanTrunk")).flatMap(vlansOf));
  const native = vlan === 0 ? NATIVE_VLAN : vlan;
  trunk.delete(native);
  const none = vlan === 0 && list(at("vlanTrunk")).length === 0;
  return { ...(none ? {} : { vlan: native }), trunk: [...trunk].sort((a, b) => a - b) };
}

/** linux/if_vlan.h, VLAN_N_VID: 4095 is reserved (IEEE 802.1Q, table 9-2). */
const LAST_VLAN = 4_094;
const vlanId = (found: Found): number => integer(found, { min: 1, max: LAST_VLAN });

/** `{id}`, `{minID, maxID}`, or both. */
function vlansOf(entry: Found): number[] {
  const at = fields(entry);
  const [id, first, last] = [at("id"), at("minID"), at("maxID")];
  if (absent(first) !== absent(last)) refuse(absent(first) ? first : last, "given where the other end of the range is");
  if (absent(id) && absent(first)) refuse(entry, "a VLAN such as {id: 5} or {minID: 100, maxID: 200}");
  const single = absent(id) ? [] : [vlanId(id)];
  if (absent(first)) return single;
  const from = vlanId(first);
  const to = vlanId(last);
  if (to < from) refuse(last, `at least minID, ${from}`);
  return [...single, ...Array.from({ length: to - from + 1 }, (_, i) => from + i)];
}

/** linux/if.h, IFNAMSIZ: the node's link in the VLAN is named for both. */
function refuseLongName(found: Found, bridge: string, vlan: number): void {
  if (`${bridge}.${vlan}`.length > 15)
    refuse({ ...found, value: bridge }, `short enough for a gateway in VLAN ${vlan}: with it, 15 bytes in all`);
}
