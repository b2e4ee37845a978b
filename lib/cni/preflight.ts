/**
 * The checks of the reference's pkg/skel that come before any plugin's own: decoding, name, version and namespace.
 * The plugin makes them before it calls, the daemon makes them again: its clients need not be our plugin.
 */
import { SelvedgeError } from "#lib/errors.ts";
import { absent, type Found, fields, root } from "#lib/parse.ts";
import { isName } from "./environment.ts";
import { VERSIONS, type Verb, type Version } from "./types.ts";

export interface Preflight {
  readonly name: string;
  readonly cniVersion: Version;
  readonly raw: Found;
}

/** Objects within objects; encoding/json of Go stops at 10,000, and nobody writes more than a dozen. */
const DEEPEST = 1_000;

/**
 * Decodes standard input and checks name and version for a verb.
 * @throws SelvedgeError decode, config-invalid (name), version-unsupported
 */
export function preflight(verb: Verb, config: Uint8Array, limitBytes = Number.POSITIVE_INFINITY): Preflight {
  if (config.length > limitBytes) throw undecodable(`more than ${limitBytes} bytes`);
  const raw = decode(config);
  const at = fields(raw);
  return { name: networkName(at("name")), cniVersion: version(verb, at("cniVersion")), raw };
}

/** @throws SelvedgeError own-namespace. An inode is enough: all namespaces live in one nsfs. */
export function refuseOwnNamespace(given: { netnsInode: number; allowOwnNetns: boolean }, ownInode: number): void {
  if (given.allowOwnNetns || given.netnsInode === 0 || given.netnsInode !== ownInode) return;
  const message = "plugin's netns and netns from CNI_NETNS should not be the same";
  const hint = "CNI_NETNS is the host's own namespace; CNI_NETNS_OVERRIDE=1 allows it.";
  throw new SelvedgeError({ kind: "own-namespace" }, message, { hint });
}

/** @throws SelvedgeError decode */
export function decode(config: Uint8Array): Found {
  if (depth(config) > DEEPEST) throw undecodable(`more than ${DEEPEST} levels of nesting`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { ignoreBOM: true }).decode(config));
  } catch (error) {
    throw undecodable(error instanceof Error ? error.message : String(error), error);
  }
  if (typeof value === "object" && !Array.isArray(value)) return root(value ?? {});
  throw undecodable(`it is ${Array.isArray(value) ? "a list" : `a ${typeof value}`}, not an object`);
}

function networkName(found: Found): string {
  if (absent(found) || found.value === "") throw badName("missing network name", 'The key "name" must be given.');
  if (typeof found.value !== "string") throw undecodable("name is not a string");
  if (isName(found.value)) return found.value;
  throw badName("invalid characters found in network name", found.value);
}

const badName = (message: string, hint: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field: "name" }, message, { hint });

function version(verb: Verb, found: Found): Version {
  if (!absent(found) && typeof found.value !== "string") throw undecodable("cniVersion is not a string");
  const given = absent(found) || found.value === "" ? "0.1.0" : String(found.value);
  const oldest = SINCE[verb];
  if (oldest !== undefined) {
    if (!/^\d{1,9}\.\d{1,9}(\.\d{1,9})?$/.test(given)) throw undecodable(`invalid version "${given}"`);
    if (older(given, oldest))
      throw unsupported(given, `config version does not allow ${verb}`, `${verb} exists since ${oldest}.`);
  }
  const known = VERSIONS.find((v) => v === given);
  if (known !== undefined) return known;
  const all = VERSIONS.map((v) => JSON.stringify(v)).join(" ");
  throw unsupported(given, "incompatible CNI versions", `config is ${JSON.stringify(given)}, plugin supports [${all}]`);
}

/** The version of the specification that brought a verb. */
const SINCE: Partial<Record<Verb, Version>> = { CHECK: "0.4.0", GC: "1.1.0", STATUS: "1.1.0" };

function older(given: string, than: string): boolean {
  const [a, b] = [given.split(".").map(Number), than.split(".").map(Number)];
  for (const i of [0, 1, 2]) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const unsupported = (given: string, message: string, hint: string): SelvedgeError =>
  new SelvedgeError({ kind: "version-unsupported", version: given }, message, { hint });

const undecodable = (why: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError({ kind: "decode" }, `error unmarshall network config: ${why}`, {
    hint: "Standard input must hold one network configuration as a JSON object.",
    cause,
  });

/** Deepest nesting of braces outside strings; what nests deeper than the stack would break every later walk. */
function depth(json: Uint8Array): number {
  if (json.length < DEEPEST) return 0;
  let [now, deepest, quoted] = [0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (quoted) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++now);
    else if (byte === 0x7d || byte === 0x5d) now--;
  }
  return deepest;
}
