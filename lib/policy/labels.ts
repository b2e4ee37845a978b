/** Labels as the API server takes them (apimachinery, util/validation). */
import { entries, type Found, refuse, text } from "#lib/parse.ts";
import type { Labels } from "./objects.ts";

const PART = /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/;
const isPart = (word: string): boolean => word.length <= 63 && PART.test(word);
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

const KEY = 'a label\'s key such as "app" or "example.com/app"';

/** @throws SelvedgeError config-invalid */
export const labelKey = (found: Found): string => (isKey(text(found)) ? text(found) : refuse(found, KEY));

function isKey(key: string): boolean {
  const parts = key.split("/");
  const [domain, name] = parts.length === 1 ? [undefined, key] : parts;
  if (parts.length > 2 || name === undefined || !isPart(name)) return false;
  return domain === undefined || (domain.length <= 253 && DOMAIN.test(domain));
}

/** @throws SelvedgeError config-invalid */
export function label(found: Found): string {
  const value = text(found);
  return value === "" || isPart(value)
    ? value
    : refuse(found, "a label's value: at most 63 letters, digits, -, _ and ., with letters or digits at both ends");
}

/** Absent is none. @throws SelvedgeError config-invalid */
export const labels = (found: Found): Labels =>
  Object.fromEntries(entries(found).map(([key, at]) => [labelKey({ ...at, value: key }), label(at)]));

/** `app=web,tier=front`. @throws SelvedgeError config-invalid */
export const readLabelsText = (found: Found): Labels =>
  Object.fromEntries(
    text(found)
      .split(",")
      .filter((pair) => pair.trim() !== "")
      .map((pair): [string, string] => {
        const [key = "", value, ...more] = pair.trim().split("=");
        if (value === undefined || more.length > 0) refuse({ ...found, value: pair }, 'a label such as "app=web"');
        return [labelKey({ ...found, value: key }), label({ ...found, value })];
      }),
  );
