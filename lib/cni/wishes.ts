/**
 * What a runtime wishes for one attachment. The same wish may come three ways (CONVENTIONS.md): `runtimeConfig` wins
 * over `args.cni`, which wins over CNI_ARGS. A pod's own annotations come after what the runtime wishes itself, before
 * `args.cni`.
 */
import { type Address, address, type Mac, mac, type Prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import {
  absent,
  entries,
  type Found,
  fields,
  integer,
  list,
  optional,
  refuse,
  reservationName,
  text,
} from "#lib/parse.ts";
import { readAnnotations } from "./annotations.ts";
import { badArgs } from "./args.ts";
import { parseDns } from "./dns.ts";
import { ip } from "./ip.ts";
import { PLANES_ANNOTATION, parsePlanesAnnotation } from "./planes.ts";
import type { Bandwidth, PortMapping, RuntimeWishes } from "./types.ts";

/**
 * @param config the whole network configuration
 * @param ifname the interface that is attached
 * @throws SelvedgeError config-invalid with the path, environment-invalid for CNI_ARGS
 */
export function parseWishes(config: Found, args: ReadonlyMap<string, string>, ifname: string): RuntimeWishes {
  const runtime = fields(fields(config)("runtimeConfig"));
  const inline = fields(fields(fields(config)("args"))("cni"));
  const bandwidth = bandwidthOf(runtime("bandwidth"));
  const dns = parseDns(runtime("dns"), "runtime");
  const deviceId = optional(runtime("deviceID"), text);
  const cgroupPath = optional(runtime("cgroupPath"), text);
  const podAnnotations = Object.fromEntries(
    entries(runtime("io.kubernetes.cri.pod-annotations")).map(([key, value]) => [key, text(value)]),
  );
  const { ips, mac: ownMac, reservation, ...annotated } = readAnnotations(podAnnotations, ifname);
  const hardware = macOf(runtime("mac")) ?? ownMac ?? macOf(inline("mac")) ?? macOfArgs(args.get("MAC"));
  const goesBy = reservation ?? optional(inline("reservation"), reservationName) ?? nameOfArgs(args.get("RESERVATION"));
  const planes = podAnnotations[PLANES_ANNOTATION];
  return {
    portMappings: list(runtime("portMappings")).map(portMapping),
    ...(bandwidth !== undefined && { bandwidth }),
    ...(!absent(runtime("ipRanges")) && { ipRanges: runtime("ipRanges") }),
    ips: ipsOf(runtime("ips")) ?? ips ?? ipsOf(inline("ips")) ?? ipsOfArgs(args.get("IP")),
    ...(hardware !== undefined && { mac: hardware }),
    ...(Object.keys(dns).length > 0 && { dns }),
    aliases: list(runtime("aliases")).map((each) => text(each)),
    ...(deviceId && { deviceId }),
    ...(cgroupPath && { cgroupPath }),
    podAnnotations,
    ...annotated,
    ...(goesBy && { reservation: goesBy }),
    ...(planes !== undefined && { planes: parsePlanesAnnotation(planes) }),
    podLabels: labelsOf(inline("labels")),
  };
}

/** CONVENTIONS.md: `[{"key": "app", "value": "web"}]`. */
const labelsOf = (found: Found): Record<string, string> =>
  Object.fromEntries(list(found).map((each) => [text(fields(each)("key")), text(fields(each)("value"))]));

export function portMapping(found: Found): PortMapping {
  const at = fields(found);
  const protocol = text(at("protocol"), { or: "tcp" }).toLowerCase() || "tcp";
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp")
    return refuse(at("protocol"), 'one of "tcp", "udp", "sctp"');
  const hostIp = at("hostIP");
  return {
    hostPort: integer(at("hostPort"), { min: 1, max: 65_535 }),
    containerPort: integer(at("containerPort"), { min: 1, max: 65_535 }),
    protocol,
    ...(!absent(hostIp) && hostIp.value !== "" && { hostIp: address(hostIp.value, hostIp.path) }),
  };
}

export function bandwidthOf(found: Found): Bandwidth | undefined {
  if (absent(found)) return undefined;
  const at = fields(found);
  const names = ["ingressRate", "ingressBurst", "egressRate", "egressBurst"] as const;
  return Object.fromEntries(names.flatMap((name) => (absent(at(name)) ? [] : [[name, bits(at(name))]])));
}

/** Runtimes send 2^35 - 9 and more for "no limit"; what is beyond a double's exact range is as good as that. */
function bits(found: Found): number {
  const n = found.value;
  if (typeof n === "number" && Number.isInteger(n) && n >= 0) return Math.min(n, Number.MAX_SAFE_INTEGER);
  return refuse(found, "a whole number of bits, 0 or more");
}

const ipsOf = (found: Found): (Address | Prefix)[] | undefined =>
  optional(found, (given) => list(given).map((each) => ip(each.value, each.path)));

function ipsOfArgs(fromArgs: string | undefined): (Address | Prefix)[] {
  if (fromArgs === undefined || fromArgs === "") return [];
  return inArgs(() => fromArgs.split(",").map((each) => ip(each.trim(), "IP")));
}

const macOf = (found: Found): Mac | undefined =>
  absent(found) || found.value === "" ? undefined : mac(found.value, found.path);

function macOfArgs(fromArgs: string | undefined): Mac | undefined {
  if (fromArgs === undefined || fromArgs === "") return undefined;
  return inArgs(() => mac(fromArgs, "MAC"));
}

function nameOfArgs(fromArgs: string | undefined): string | undefined {
  if (fromArgs === undefined || fromArgs === "") return undefined;
  return inArgs(() => reservationName({ path: "RESERVATION", value: fromArgs }));
}

/** The same parsers, but the blame is the environment's. */
function inArgs<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isFailure(error, "config-invalid")) throw badArgs(error.message, "Correct the value or leave it out.");
    throw error;
  }
}
