/**
 * The planes that a request asks for: `planes` of the network configuration, and the pod's annotation
 * `selvedge.dev/planes`, which is "std,control,media" or the same list in JSON.
 */
import type { Address, Mac, Prefix } from "#lib/address.ts";
import { mac } from "#lib/address.ts";
import { absent, type Found, fields, filled, flag, linkName, list, optional, refuse, text } from "#lib/parse.ts";
import { ip } from "./ip.ts";

export const PLANES_ANNOTATION = "selvedge.dev/planes";

/** A network that the pod is on by an interface of its own. */
export interface AskedPlane {
  /** A network of the daemon's configuration. */
  readonly network: string;
  /** Absent: the network's name. */
  readonly interface?: string;
  readonly ips: readonly (Address | Prefix)[];
  readonly mac?: Mac;
  readonly defaultRoute?: boolean;
  /** Where it was asked for, for errors. */
  readonly path: string;
}

/** `planes`, inline: names of networks, or objects. @throws SelvedgeError config-invalid */
export const parsePlanes = (found: Found): AskedPlane[] => list(found).map(parsePlane);

/** @throws SelvedgeError config-invalid naming the annotation */
export function parsePlanesAnnotation(annotation: string): AskedPlane[] {
  const found: Found = { path: PLANES_ANNOTATION, value: annotation };
  if (!annotation.trim().startsWith("[")) {
    const names = annotation.split(",").map((name) => name.trim());
    return parsePlanes({ ...found, value: names.filter((name) => name !== "") });
  }
  try {
    return parsePlanes({ ...found, value: JSON.parse(annotation) });
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(found, "a list of networks, with commas between them or in JSON");
    throw error;
  }
}

function parsePlane(found: Found): AskedPlane {
  if (typeof found.value === "string") return { network: named(found), ips: [], path: found.path };
  if (typeof found.value !== "object" || absent(found))
    return refuse(found, 'the name of a network, or an object such as {"network": "media", "interface": "m0"}');
  const at = fields(found);
  const ifname = optional(filled(at("interface")), linkName);
  const hardware = optional(filled(at("mac")), ({ value, path }) => mac(value, path));
  const defaultRoute = optional(at("defaultRoute"), (each) => flag(each));
  return {
    network: named(at("network")),
    ...(ifname !== undefined && { interface: ifname }),
    ips: list(at("ips")).map((each) => ip(each.value, each.path)),
    ...(hardware !== undefined && { mac: hardware }),
    ...(defaultRoute !== undefined && { defaultRoute }),
    path: found.path,
  };
}

const named = (found: Found): string => text(found) || refuse(found, "the name of a network");
