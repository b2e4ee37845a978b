/** What cannot be had where the pod's packets leave without passing the node: said before anything is made. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Wishes } from "./add-ons.ts";

const INSTEAD = 'Attach the pod with "ptp" or "bridge", where the node sees its packets.';

/** @throws SelvedgeError unsupported-field for a wish that only the node could fulfil */
export function refuseUnserved(type: string, wishes: Wishes): void {
  const { spoofProtectionAsked, portMappings, bandwidth, qos } = wishes;
  if (spoofProtectionAsked === true) throw unserved("spoofProtection", true, type, "filtered");
  if (portMappings.length > 0)
    throw unserved("runtimeConfig.portMappings", portMappings, type, "translated to host ports");
  if (bandwidth !== undefined && Object.values(bandwidth).some((bits) => bits > 0))
    throw unserved("runtimeConfig.bandwidth", bandwidth, type, "shaped");
  if (qos !== undefined && (qos.dscp !== undefined || qos.priority !== undefined))
    throw unserved("qos", qos, type, "marked");
}

const unserved = (field: string, value: unknown, type: string, what: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "unsupported-field", field },
    `${field}: ${JSON.stringify(value)} is not supported: packets of the attachment type "${type}" do not pass the node, where they could be ${what}`,
    { hint: INSTEAD },
  );
