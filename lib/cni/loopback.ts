/**
 * The plugin under the name `loopback`, which containerd runs beside every pod's network, also before there is a daemon:
 * it does what the reference's `loopback` does, by itself. CNI_IFNAME is not looked at: a namespace has one such link.
 */
import type { Mac, Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields } from "#lib/parse.ts";
import { parseResult, renderResult } from "./result.ts";
import type { Result, Verb, Version } from "./types.ts";

export interface Loopback {
  readonly up: boolean;
  readonly ipv6: boolean;
}

/**
 * `look` enters the namespace, raises the link when told to, and says how it is. DEL leaves the link to its namespace,
 * and GC and STATUS have nothing to do.
 * @returns what goes to standard output
 * @throws SelvedgeError namespace-gone, kernel, drift; config-invalid, version-unsupported (prevResult)
 */
export function loopback(
  verb: Verb,
  { config, cniVersion, netns }: { config: Found; cniVersion: Version; netns: string },
  look: (netns: string, raise: boolean) => Loopback,
): string {
  if (verb !== "ADD" && verb !== "CHECK") return "";
  const link = look(netns, verb === "ADD");
  if (verb === "CHECK") {
    if (!link.up) throw new SelvedgeError({ kind: "drift", lines: ["~ link lo [pod] loopback up"] }, "lo is down");
    return "";
  }
  const previous = fields(config)("prevResult");
  const result = absent(previous) ? resultOf(netns, link) : parseResult(previous, cniVersion);
  return JSON.stringify(renderResult(result, cniVersion));
}

/** What the kernel says of `lo`. */
export const LOOPBACK_MAC = "00:00:00:00:00:00" as Mac;

const resultOf = (netns: string, { ipv6 }: Loopback): Result => ({
  interfaces: [{ name: "lo", mac: LOOPBACK_MAC, sandbox: netns }],
  ips: [
    { address: "127.0.0.1/8" as Prefix, interface: 0 },
    ...(ipv6 ? [{ address: "::1/128" as Prefix, interface: 0 }] : []),
  ],
  routes: [],
  dns: {},
});
