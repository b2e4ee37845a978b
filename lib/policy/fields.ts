/** Fields that an object may have: one that is not understood could be the one that matters. */
import { SelvedgeError } from "#lib/errors.ts";
import { nearest } from "#lib/nearest.ts";
import { entries, type Found } from "#lib/parse.ts";

/** @throws SelvedgeError config-invalid naming the field that is not known, and the one that may be meant */
export function onlyFields(found: Found, known: readonly string[]): void {
  for (const [key, at] of entries(found)) {
    if (known.includes(key)) continue;
    const meant = nearest(key, known);
    throw new SelvedgeError(
      { kind: "config-invalid", field: at.path },
      `${at.path}: there is no such field${meant === undefined ? "" : `; did you mean ${meant}?`}`,
      { hint: `There are: ${known.join(", ")}.` },
    );
  }
}

/** Exactly one of the fields, as a union is written. @throws SelvedgeError config-invalid */
export function onlyOne(found: Found, known: readonly string[]): [name: string, value: Found] {
  onlyFields(found, known);
  const [first, ...more] = entries(found).filter(([, { value }]) => value !== undefined && value !== null);
  if (first !== undefined && more.length === 0) return first;
  throw new SelvedgeError(
    { kind: "config-invalid", field: found.path },
    `${found.path}: ${first === undefined ? "none" : "more than one"} of ${known.join(", ")} is given; it must be exactly one`,
  );
}
