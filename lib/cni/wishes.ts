/**
 * What a runtime wishes for one attachment. The same wish may come three ways (CONVENTIONS.md): `runtimeConfig` wins
 * over `args.cni`, which wins over CNI_ARGS.
 */
import { type Address, address, type Mac, mac, type Prefix, prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import { absent, entries, type Found, fields, integer, list, optional, refuse, text } from "#lib/parse.ts";
import { badArgs } from "./args.ts";
import { parseDns } from "./dns.ts";
import type { Bandwidth, PortMapping, RuntimeWishes } from "./types.ts";

/**
 * @param config the whole network configuration
 * @throws SelvedgeError config-invalid with the path, environment-invalid for CNI_ARGS
 */
export function parseWishes(config: Found, args: ReadonlyMap<string, string>): RuntimeWishes {
  const runtime = fields(fields(config)("runtimeConfig"));
  const inline = fields(fields(fields(config)("args"))("cni"));
  const either = (key: string): Found => (absent(runtime(key)) ? inline(key) : runtime(key));
  const bandwidth = bandwidthOf(runtime("bandwidth"));
  const hardware = macOf(either("mac"), args.get("MAC"));
  const dns = parseDns(runtime("dns"), "runtime");
  const deviceId = optional(runtime("deviceID"), text);
  const cgroupPath = optional(runtime("cgroupPath"), text);
  return {
    portMappings: list(runtime("portMappings")).map(portMapping),
    ...(bandwidth !== undefined && { bandwidth }),
    ...(!absent(runtime("ipRanges")) && { ipRanges: runtime("ipRanges") }),
    ips: ipsOf(either("ips"), args.get("IP")),
    ...(hardware !== undefined && { mac: hardware }),
    ...(Object.keys(dns).length > 0 && { dns }),
    aliases: list(runtime("aliases")).map((each) => text(each)),
    ...(deviceId && { deviceId }),
    ...(cgroupPath && { cgroupPath }),
    podAnnotations: Object.fromEntries(
      entries(runtime("io.kubernetes.cri.pod-annotations")).map(([key, value]) => [key, text(value)]),
    ),
  };
}

function portMapping(found: Found): PortMapping {
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

function bandwidthOf(found: Found): Bandwidth | undefined {
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

function ipsOf(found: Found, fromArgs: string | undefined): (Address | Prefix)[] {
  if (!absent(found)) return list(found).map((each) => ip(each.value, each.path));
  if (fromArgs === undefined || fromArgs === "") return [];
  return inArgs(() => fromArgs.split(",").map((each) => ip(each.trim(), "IP")));
}

const ip = (value: unknown, path: string): Address | Prefix =>
  typeof value === "string" && value.includes("/") ? prefix(value, path) : address(value, path);

function macOf(found: Found, fromArgs: string | undefined): Mac | undefined {
  if (!absent(found)) return found.value === "" ? undefined : mac(found.value, found.path);
  if (fromArgs === undefined || fromArgs === "") return undefined;
  return inArgs(() => mac(fromArgs, "MAC"));
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
