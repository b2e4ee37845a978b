/** A refusal that means that the kernel was built without something, said as what to load. */
import { SelvedgeError } from "#lib/errors.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { absence, FEATURES, type FeatureName } from "#lib/state/features.ts";
import { ERRNO } from "#native/libc.ts";
import type { ErrorReport } from "../netlink/message.ts";

/** linux/errno.h: what no program was to see, and ipvlan without CONFIG_IPVLAN_L3S answers. */
const ENOTSUPP = 524;
/** No /dev/net/tun, nobody behind it, or not for this container. */
const NO_DEVICE: readonly number[] = [ERRNO.ENOENT, ERRNO.EPERM, ERRNO.ENODEV, ERRNO.ENXIO];

/** Undefined when the refusal has another reason. */
export function lacks(fact: LinkFact, report: ErrorReport): SelvedgeError | undefined {
  const feature = featureOf(fact, report);
  if (feature === undefined) return undefined;
  return new SelvedgeError({ kind: "kernel", call: `link add ${fact.name}`, errno: report.code }, absence(feature));
}

function featureOf({ kind, mode, vlanFiltering }: LinkFact, { code, text }: ErrorReport): FeatureName | undefined {
  if (kind === "tap") return NO_DEVICE.includes(code) ? "tap" : undefined;
  if (code === ENOTSUPP) return mode === "l3s" ? "ipvlan-l3s" : undefined;
  if (code !== ERRNO.EOPNOTSUPP) return undefined;
  // net/core/rtnetlink.c, rtnl_newlink: what it says of a kind that nobody registered.
  const isKindKnown = text !== "Unknown device type";
  if (kind === "bridge" && vlanFiltering !== undefined && isKindKnown) return "bridge-vlan";
  if ((kind === "gretap" || kind === "erspan" || kind === "gre") && !isKindKnown) return "gre";
  if (kind === "ip6gre" && !isKindKnown) return "gre6";
  return kind in FEATURES && !isKindKnown ? (kind as FeatureName) : undefined;
}
