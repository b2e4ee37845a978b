/**
 * What a pod's annotations say of one of its interfaces: `selvedge.dev/ips` of eth0, `net1.selvedge.dev/ips` of net1.
 * They arrive where the configuration list declares the capability `io.kubernetes.cri.pod-annotations`.
 */
import { type Address, type Mac, mac, type Prefix } from "#lib/address.ts";
import { type Found, flag, list, optional, refuse, reservationName, text } from "#lib/parse.ts";
import { ip } from "./ip.ts";

export interface Annotated {
  readonly ips?: readonly (Address | Prefix)[];
  readonly mac?: Mac;
  readonly pool?: string;
  readonly reservation?: string;
  readonly keepAddress?: boolean;
}

/** The interface that a pod's plain annotations speak of: Kubernetes' only one. */
const FIRST = "eth0";

/** @throws SelvedgeError config-invalid naming the annotation */
export function readAnnotations(annotations: Readonly<Record<string, string>>, ifname: string): Annotated {
  const at = (key: string): Found => {
    const exact = `${ifname}.selvedge.dev/${key}`;
    const path = ifname === FIRST && annotations[exact] === undefined ? `selvedge.dev/${key}` : exact;
    return { path, value: annotations[path] };
  };
  const ips = optional(at("ips"), readIps);
  const hardware = optional(at("mac"), ({ value, path }) => mac(value, path));
  const pool = optional(at("pool"), text);
  const reservation = optional(at("reservation"), reservationName);
  const keepAddress = optional(at("keep-address"), flag);
  return {
    ...(ips !== undefined && { ips }),
    ...(hardware !== undefined && { mac: hardware }),
    ...(pool && { pool }),
    ...(reservation && { reservation }),
    ...(keepAddress !== undefined && { keepAddress }),
  };
}

/** `10.1.0.5,fd00::5`, or a list in JSON. */
function readIps(found: Found): (Address | Prefix)[] {
  const value = text(found).trim();
  if (!value.startsWith("["))
    return value
      .split(",")
      .filter((each) => each.trim() !== "")
      .map((each) => ip(each.trim(), found.path));
  return list({ path: found.path, value: json(found, value) }).map((each) => ip(each.value, each.path));
}

function json(found: Found, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return refuse(found, "a list of addresses, with commas between them or in JSON");
  }
}
