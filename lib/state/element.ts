/** One element of one of our sets, with a name that the declarations know. */
import type { ElementFact } from "./fact.ts";
import type { SetName, SetShape } from "./sets.ts";

export function element<F extends SetShape["family"]>(
  family: F,
  set: SetName<F>,
  key: readonly string[],
  value?: readonly string[],
): ElementFact {
  const made = { type: "element", at: "host", family, table: "selvedge", set, key } as const;
  return value === undefined ? made : { ...made, value };
}
