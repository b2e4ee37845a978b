/** Fields that macvlan, ipvlan and vlan have in common, named as the reference plugins name them. */
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, filled, flag, linkName, refuse } from "#lib/parse.ts";
import type { Attached, Carrier, Parent } from "./kind.ts";

/** `master` and `linkInContainer`. @throws SelvedgeError config-invalid */
export function parseParent(config: Found): Parent {
  const at = fields(config);
  const inside = flag(at("linkInContainer"), { or: false });
  const master = filled(at("master"));
  const named = !absent(master);
  if (inside && !named) refuse(master, "a link of the container, where linkInContainer is true");
  return {
    field: master.path,
    at: inside ? "pod" : "host",
    ...(named ? { name: linkName(master) } : {}),
  };
}

/** `ipam: {}`, the reference plugins' word for a link without addresses. */
export function withoutIpam(config: Found): boolean {
  const ipam = fields(config)("ipam");
  return !absent(ipam) && typeof ipam.value === "object" && Object.keys(ipam.value ?? {}).length === 0;
}

/** What the daemon has looked up. */
export function carrierOf({ carrier }: Attached): Carrier {
  if (carrier === undefined) throw new TypeError("an attachment on a parent was built without it");
  return carrier;
}

/** @throws SelvedgeError config-invalid: a link can send no more at once than the one that carries it */
export function refuseLargeMtu({ mtu }: Attached, carrier: Carrier): void {
  if (mtu > carrier.mtu)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "mtu" },
      `mtu: ${mtu} is not possible on ${carrier.name}, whose own is ${carrier.mtu}`,
    );
}
