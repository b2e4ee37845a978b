/**
 * Paths of a router's configuration, and the line that stands for one: what an operator types after `set`. Lines are
 * compared, stored and printed; a secret is in none of them.
 */
import { scryptSync } from "node:crypto";
import { SelvedgeError } from "#lib/errors.ts";

/** `["protocols", "static", "route", "10.66.0.0/16", "next-hop", "192.0.2.1"]`; a leaf's value is its last member. */
export type Path = readonly string[];

/** `protocols static route 10.66.0.0/16 next-hop 192.0.2.1`; a value with blanks stands in single quotes. */
export type Line = string & { readonly line: unique symbol };

/** Leaves whose values are secrets. */
const SECRET: ReadonlySet<string> = new Set([
  "password",
  "preshared-key",
  "pre-shared-secret",
  "private-key",
  "secret",
  "plaintext-password",
  "encrypted-password",
]);

export const lineOf = (path: Path): Line => lineAfter("" as Line, 0, path);

/** The same where the line of the first words is known. */
export function lineAfter(known: Line, words: number, path: Path): Line {
  let line = known;
  for (let i = words; i < path.length; i++) line = longer(line, path[i] ?? "", path[i - 1]);
  return line;
}

/** The line of a path with one word more. @param before the word before that */
export function longer(line: Line, word: string, before: string | undefined): Line {
  const shown = before !== undefined && SECRET.has(before) ? markOf(word) : word;
  const quoted = shown === "" || shown.includes(" ") ? `'${shown}'` : shown;
  return (line === "" ? quoted : `${line} ${quoted}`) as Line;
}

/** By secret. A router has a few dozen; beyond that they are made anew. */
const marks = new Map<string, string>();
const MOST_MARKS = 1_000;

/**
 * Tells whether a secret is still the same, and no more: all daemons must make the same of it, so that there is no salt
 * of one's own, but whoever wants to guess a weak one pays some 40 ms for each try (RFC 7914, with Node's parameters).
 */
function markOf(secret: string): string {
  if (/^\(secret [0-9a-f]{12}\)$/.test(secret)) return secret;
  const known = marks.get(secret);
  if (known !== undefined) return known;
  if (marks.size >= MOST_MARKS) marks.clear();
  const mark = `(secret ${scryptSync(secret, "selvedge edge", 6).toString("hex")})`;
  marks.set(secret, mark);
  return mark;
}

/** The path of a line; where the line holds a secret, its mark is in place of it. */
export const pathOf = (line: Line): Path =>
  Array.from(line.matchAll(/'([^']*)'|\S+/g), (found) => found[1] ?? found[0]);

/** Whether a line's value is a secret that the line does not tell. */
export const isSecret = (line: Line): boolean => / '\(secret [0-9a-f]{12}\)'$/.test(line);

/** The secret that a path ends in. */
export const secretOf = (path: Path): string | undefined => (SECRET.has(path.at(-2) ?? "") ? path.at(-1) : undefined);

/** VyOS takes neither quotes nor control characters. */
export const isValue = (word: string): boolean => word !== "" && !/['"\p{Cc}]/u.test(word);

/** A path made of what was configured. @throws SelvedgeError config-invalid: never with a secret */
export function pathFrom(...words: readonly (string | number)[]): Path {
  const path = words.map(String);
  const wrong = path.findIndex((word) => !isValue(word));
  if (wrong === -1) return path;
  const place = path.slice(0, wrong).join(" ");
  const shown = SECRET.has(path[wrong - 1] ?? "") ? "a secret" : JSON.stringify(path[wrong]);
  throw new SelvedgeError(
    { kind: "config-invalid", field: place },
    `edge: ${shown} in "${place}" is not a value that VyOS takes: no quotes, no control characters, not empty`,
  );
}

export const isBelow = (path: Path, above: Path): boolean =>
  above.length <= path.length && above.every((word, i) => path[i] === word);
