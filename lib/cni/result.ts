/**
 * Results in every version of the specification. Inside there is one form, the newest; `parseResult` reads any
 * version and `renderResult` writes any, with the rules of the reference's pkg/types/{020,040,100} (cni v1.3.0).
 */
import { address, family, prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, integer, list, optional, refuse, text } from "#lib/parse.ts";
import { parseDns } from "./dns.ts";
import {
  type Dns,
  type Result,
  type ResultInterface,
  type ResultIp,
  type ResultRoute,
  VERSIONS,
  type Version,
} from "./types.ts";

/** The shapes that a result has had. 1.0.0 prints the fields of 1.1.0 too: the reference has one type for both. */
const SHAPE = {
  "0.1.0": "020",
  "0.2.0": "020",
  "0.3.0": "040",
  "0.3.1": "040",
  "0.4.0": "040",
  "1.0.0": "100",
  "1.1.0": "100",
} as const satisfies Record<Version, string>;

/**
 * Reads a result of any version.
 * @param assume the version of a result that does not say its own: the configuration's
 * @throws SelvedgeError config-invalid with the path of what is wrong, version-unsupported
 */
export function parseResult(found: Found, assume: Version = "0.1.0"): Result {
  const at = fields(found);
  const version = resultVersion(text(at("cniVersion"), { or: "" }) || assume);
  if (SHAPE[version] === "020") return parse020(found);
  return {
    interfaces: present(at("interfaces")).map((each) => parseInterface(each, SHAPE[version] === "100")),
    ips: present(at("ips")).map(parseIp),
    routes: present(at("routes")).map(parseRoute),
    dns: parseDns(at("dns")),
  };
}

/** @throws SelvedgeError version-unsupported */
function resultVersion(text: string): Version {
  const version = VERSIONS.find((known) => known === text);
  if (version !== undefined) return version;
  const message = `unsupported CNI result version ${JSON.stringify(text)}`;
  throw new SelvedgeError({ kind: "version-unsupported", version: text }, message);
}

/**
 * The object to print for a caller of `version`.
 * @throws SelvedgeError result-invalid when 0.1.0 or 0.2.0 is wanted and there is no address
 */
export function renderResult(result: Result, version: Version): Record<string, unknown> {
  const shape = SHAPE[version];
  if (shape === "020") return render020(result, version);
  const old = shape === "040";
  const { interfaces, ips, routes, dns } = result;
  return {
    cniVersion: version,
    ...(interfaces.length > 0 && { interfaces: interfaces.map((each) => renderInterface(each, old)) }),
    ...(ips.length > 0 && { ips: ips.map((ip) => (old ? { version: String(family(ip.address)), ...ip } : ip)) }),
    ...(routes.length > 0 && { routes: routes.map(renderRoute) }),
    ...((old || Object.keys(dns).length > 0) && { dns }),
  };
}

/** Go skips the null members of a list of pointers; so do we. */
const present = (found: Found): Found[] => list(found).filter((member) => !absent(member));

const MAX_UINT32 = 0xffff_ffff;
const uint = (found: Found): number => integer(found, { min: 0, max: MAX_UINT32 });
const filled = (found: Found): string | undefined => optional(found, text) || undefined;

function parseInterface(found: Found, newest: boolean): ResultInterface {
  const at = fields(found);
  const name = text(at("name"), { or: "" });
  const old = defined({ mac: filled(at("mac")), sandbox: filled(at("sandbox")) });
  if (!newest) return { name, ...old };
  const socketPath = filled(at("socketPath"));
  return {
    name,
    ...old,
    ...defined({ mtu: optional(at("mtu"), uint) || undefined, socketPath, pciID: filled(at("pciID")) }),
  };
}

function parseIp(found: Found): ResultIp {
  const at = fields(found);
  return {
    address: cidr(at("address")),
    ...defined({ gateway: gatewayAt(at("gateway")), interface: optional(at("interface"), uint) }),
  };
}

function parseRoute(found: Found): ResultRoute {
  const at = fields(found);
  return {
    dst: cidr(at("dst")),
    ...defined({
      gw: gatewayAt(at("gw")),
      mtu: optional(at("mtu"), uint) || undefined,
      advmss: optional(at("advmss"), uint) || undefined,
      priority: optional(at("priority"), uint) || undefined,
      table: optional(at("table"), uint),
      scope: optional(at("scope"), uint),
    }),
  };
}

function parse020(found: Found): Result {
  const at = fields(found);
  const families = [at("ip4"), at("ip6")].filter((each) => !absent(each));
  const parsed = families.map((each) => {
    const of = fields(each);
    const gateway = gatewayAt(of("gateway"));
    return { ip: { address: cidr(of("ip")), ...defined({ gateway }) }, routes: present(of("routes")).map(parseRoute) };
  });
  return {
    interfaces: [],
    ips: parsed.map(({ ip }) => ip),
    routes: parsed.flatMap(({ routes }) => routes),
    dns: parseDns(at("dns")),
  };
}

function render020(result: Result, version: Version): Record<string, unknown> {
  const of = (wanted: 4 | 6) => {
    const ip = result.ips.find((each) => family(each.address) === wanted);
    if (ip === undefined) return undefined;
    const routes = result.routes
      .filter((route) => family(route.dst) === wanted)
      .map(({ dst, gw }) => ({ dst, ...defined({ gw }) }));
    return { ip: ip.address, ...defined({ gateway: ip.gateway }), ...(routes.length > 0 && { routes }) };
  };
  const [ip4, ip6] = [of(4), of(6)];
  if (ip4 === undefined && ip6 === undefined)
    throw new SelvedgeError({ kind: "result-invalid", field: "ips" }, "cannot convert: no valid IP addresses", {
      hint: `A result of version ${version} must hold an address.`,
    });
  return { cniVersion: version, ...defined({ ip4, ip6 }), dns: result.dns satisfies Dns };
}

function renderInterface(of: ResultInterface, old: boolean): Record<string, unknown> {
  const { name, mac, mtu, sandbox, socketPath, pciID } = of;
  const since = old ? {} : { mtu: mtu || undefined, socketPath: socketPath || undefined, pciID: pciID || undefined };
  return { name, ...defined({ mac: mac || undefined, sandbox: sandbox || undefined, ...since }) };
}

/** Go omits what is zero, except table and scope, which are pointers there. */
function renderRoute({ dst, gw, mtu, advmss, priority, table, scope }: ResultRoute): Record<string, unknown> {
  const numbers = { mtu: mtu || undefined, advmss: advmss || undefined, priority: priority || undefined };
  return { dst, ...defined({ gw, ...numbers, table, scope }) };
}

const cidr = (found: Found) =>
  typeof found.value === "string" ? prefix(found.value, found.path) : refuse(found, "an address with a prefix length");

const gatewayAt = (found: Found) =>
  absent(found) || found.value === "" ? undefined : address(found.value, found.path);

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
/** Leaves out what is undefined: an absent key is not a key with nothing. */
function defined<T extends object>(of: T): Defined<T> {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as Defined<T>;
}
