/** The network configuration of one plugin (SPEC 1.1.0, section 1), as the runtime sends it on standard input. */
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, flag, integer, list, optional, refuse, text } from "#lib/parse.ts";
import { POD_QOS_ANNOTATION, parsePodQos, parsePodQosAnnotation, parseQos } from "#lib/qos.ts";
import { parseArgs } from "./args.ts";
import { parseDns } from "./dns.ts";
import { parsePlanes } from "./planes.ts";
import { preflight } from "./preflight.ts";
import { parseResult } from "./result.ts";
import type { NetConf, Result, Verb, Version } from "./types.ts";
import { parseWishes } from "./wishes.ts";

/**
 * Reads standard input for a verb, with CNI_ARGS where it says what the configuration does not.
 * Annotations are read for the interface `ifname`. Fields of an attachment type are left to that type (`raw`).
 * @throws SelvedgeError decode, config-invalid, version-unsupported, environment-invalid (CNI_ARGS), result-invalid (prevResult)
 */
export function parseNetConf(verb: Verb, config: Uint8Array, args: string, ifname = "eth0"): NetConf {
  const { name, cniVersion, raw } = preflight(verb, config);
  const at = fields(raw);
  const pairs = parseArgs(args);
  const attachment = optional(at("attachment"), text);
  const network = optional(at("network"), text);
  const ipMasq = optional(at("ipMasq"), flag);
  const spoofProtection = optional(at("spoofProtection"), flag);
  const mtu = optional(at("mtu"), mtuBytes);
  const planes = optional(at("planes"), parsePlanes);
  const policyRouting = optional(at("policyRouting"), flag);
  const qos = parseQos(at("qos"));
  const wishes = parseWishes(raw, pairs, ifname);
  const annotated = wishes.podAnnotations[POD_QOS_ANNOTATION];
  const podQos = annotated === undefined ? parsePodQos(at("podQos")) : parsePodQosAnnotation(annotated);
  const ipamType = optional(fields(at("ipam"))("type"), text);
  const pod = podOf(pairs);
  const prevResult = optional(at("prevResult"), (found) => previous(found, cniVersion));
  const validAttachments = attachmentsOf(at("cni.dev/valid-attachments"), at("cni.dev/attachments"));
  return {
    cniVersion,
    name,
    ...(attachment && { attachment }),
    ...(network && { network }),
    ...(ipMasq !== undefined && { ipMasq }),
    ...(spoofProtection !== undefined && { spoofProtection }),
    ...(mtu && { mtu }),
    ...(planes !== undefined && { planes }),
    ...(policyRouting !== undefined && { policyRouting }),
    ...(qos !== undefined && { qos }),
    ...(podQos !== undefined && { podQos }),
    dns: parseDns(at("dns")),
    ...(!absent(at("ipam")) && { ipam: at("ipam") }),
    ...(ipamType && { ipamType }),
    wishes,
    ...(pod !== undefined && { pod }),
    ...(prevResult !== undefined && { prevResult }),
    ...(validAttachments !== undefined && { validAttachments }),
    raw,
  };
}

/** 0 is "decide yourself", as in the reference plugins; less than 68 carries no IPv4 (RFC 791). */
function mtuBytes(found: Found): number {
  return found.value === 0 ? 0 : integer(found, { min: 68, max: 65_535 });
}

function podOf(args: ReadonlyMap<string, string>): string | undefined {
  const [namespace, name] = [args.get("K8S_POD_NAMESPACE"), args.get("K8S_POD_NAME")];
  return namespace && name ? `${namespace}/${name}` : undefined;
}

function previous(found: Found, assume: Version): Result {
  try {
    return parseResult(found, assume);
  } catch (error) {
    if (!isFailure(error, "config-invalid", "version-unsupported")) throw error;
    const field = error.failure.kind === "config-invalid" ? error.failure.field : `${found.path}.cniVersion`;
    throw new SelvedgeError({ kind: "result-invalid", field }, `could not parse prevResult: ${error.message}`, {
      hint: "It is the result of the plugin before this one in the list.",
      cause: error,
    });
  }
}

/** libcni writes both keys (the second is older); absent is "no information", an empty list is "none is valid". */
function attachmentsOf(newer: Found, older: Found): NetConf["validAttachments"] {
  const found = absent(newer) ? older : newer;
  if (absent(found)) return undefined;
  return list(found).map((each) => {
    const at = fields(each);
    const id = text(at("containerID"));
    const ifname = text(at("ifname"));
    return id === "" || ifname === ""
      ? refuse(each, "a container id and an interface name")
      : { containerId: id, ifname };
  });
}
