/**
 * Reading JSON that somebody else wrote: every value travels with its path, so that an error names the field, the
 * value and what would be right. Keys are folded case-insensitively, as Go's decoder does and containerd relies on.
 * A wrong type is refused, never taken for the default.
 */
import { isFailure, SelvedgeError } from "./errors.ts";

/** A value and where it was found: `ipam.ranges[0][1].subnet`. `undefined` and `null` both mean absent. */
export interface Found {
  readonly path: string;
  readonly value: unknown;
}

export const root = (value: unknown, path = ""): Found => ({ path, value });

export const absent = (found: Found): boolean => found.value === undefined || found.value === null;

/** @throws SelvedgeError config-invalid, always: `mtu: "big" is not a whole number from 68 to 65535`. */
export function refuse(found: Found, right: string): never {
  const shown = JSON.stringify(found.value) ?? String(found.value);
  const value = shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
  const field = found.path === "" ? "configuration" : found.path;
  const what = absent(found) ? "is missing; it must be" : `${value} is not`;
  throw new SelvedgeError({ kind: "config-invalid", field }, `${field}: ${what} ${right}`);
}

/** What `read` gives; undefined where it refuses: for whom it is enough that there is nothing to be read. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    return undefined;
  }
}

/** Looks a key up in an object, whatever its case; an exact match wins. An absent object has no fields. */
export function fields(found: Found): (key: string) => Found {
  const at = (key: string) => (found.path === "" ? key : `${found.path}.${key}`);
  if (absent(found)) return (key) => ({ path: at(key), value: undefined });
  if (typeof found.value !== "object" || Array.isArray(found.value)) return refuse(found, "an object");
  const object = found.value as Record<string, unknown>;
  const folded = new Map<string, unknown>();
  for (const [key, value] of Object.entries(object)) folded.set(key.toLowerCase(), value);
  return (key) => ({ path: at(key), value: Object.hasOwn(object, key) ? object[key] : folded.get(key.toLowerCase()) });
}

export function text(found: Found, options: { or?: string } = {}): string {
  if (absent(found) && options.or !== undefined) return options.or;
  return typeof found.value === "string" ? found.value : refuse(found, "a string");
}

export function oneOf<T extends string>(found: Found, words: readonly T[], options: { or?: T } = {}): T {
  if (absent(found) && options.or !== undefined) return options.or;
  const word = words.find((w) => w === found.value);
  return word ?? refuse(found, `one of ${words.map((w) => `"${w}"`).join(", ")}`);
}

export function integer(found: Found, limits: { min: number; max: number; or?: number }): number {
  if (absent(found) && limits.or !== undefined) return limits.or;
  const n = found.value;
  if (typeof n === "number" && Number.isSafeInteger(n) && n >= limits.min && n <= limits.max) return n;
  return refuse(found, `a whole number from ${limits.min} to ${limits.max}`);
}

/** true or false; the strings "true" and "false" are taken too, as libcni does for its own flags. */
export function flag(found: Found, options: { or?: boolean } = {}): boolean {
  if (absent(found) && options.or !== undefined) return options.or;
  if (typeof found.value === "boolean") return found.value;
  if (found.value === "true" || found.value === "false") return found.value === "true";
  return refuse(found, "true or false");
}

/** The members of a list with their paths; absent is empty. */
export function list(found: Found): Found[] {
  if (absent(found)) return [];
  if (!Array.isArray(found.value)) return refuse(found, "a list");
  return found.value.map((value: unknown, i) => ({ path: `${found.path}[${i}]`, value }));
}

/** The members of an object as name and value; absent is empty. Names keep their case. */
export function entries(found: Found): [string, Found][] {
  if (absent(found)) return [];
  if (typeof found.value !== "object" || Array.isArray(found.value)) return refuse(found, "an object");
  return Object.entries(found.value as object).map(([key, value]) => [key, { path: `${found.path}.${key}`, value }]);
}

/** Applies `read` unless the value is absent. */
export const optional = <T>(found: Found, read: (present: Found) => T): T | undefined =>
  absent(found) ? undefined : read(found);

/** A name that the kernel takes for a link (linux/if.h IFNAMSIZ, net/core/dev.c dev_valid_name). */
export const isLinkName = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && new TextEncoder().encode(name).length <= 15 && !/[/:\s]/.test(name);

export function linkName(found: Found): string {
  const name = text(found);
  return isLinkName(name) ? name : refuse(found, "a link name: 1 to 15 bytes without /, : or white space");
}

/** The same value, but an empty text counts as absent, as programs written in Go take it. */
export const filled = (found: Found): Found => (found.value === "" ? { ...found, value: undefined } : found);

/** A name that addresses are reserved for: `namespace/pod`, or what an attachment says it goes by (`vm:db`). */
export function reservationName(found: Found): string {
  const name = text(found);
  // Kubernetes' longest: a namespace of 63 and a pod of 253 characters (RFC 1123).
  return /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,317}$/.test(name)
    ? name
    : refuse(found, 'a name such as "default/db-0" or "vm:db"');
}
