/** Which routes of whom are taken and told, as VyOS has it: policy prefix-list, policy route-map. */
import { bitsOf, type Family, family, lengthOf, type Prefix } from "#lib/address.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";

export const FAMILIES = [4, 6] as const;

export const WORDS = {
  4: { unicast: "ipv4-unicast", list: "prefix-list", match: "ip" },
  6: { unicast: "ipv6-unicast", list: "prefix-list6", match: "ipv6" },
} as const satisfies Record<Family, object>;

export const ofFamily = (prefixes: readonly Prefix[], of: Family): Prefix[] =>
  prefixes.filter((each) => family(each) === of);

/** In which there are any. */
export const familiesOf = (prefixes: readonly Prefix[]): Family[] =>
  FAMILIES.filter((of) => prefixes.some((each) => family(each) === of));

/** Prefixes of a family; with parts of them unless they are meant whole. */
export function prefixList(
  of: Family,
  name: string,
  prefixes: readonly Prefix[],
  { isWhole = false }: { readonly isWhole?: boolean } = {},
): Piece {
  const at = pathFrom("policy", WORDS[of].list, name);
  return {
    at,
    paths: prefixes.flatMap((prefix, i) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", 10 * (i + 1), ...words);
      const more = isWhole || lengthOf(prefix) === bitsOf(of) ? [] : [rule("le", bitsOf(of))];
      return [rule("action", "permit"), rule("prefix", prefix), ...more];
    }),
  };
}

/** What is in the prefix lists of its name passes, and gets what is said here. */
export function routeMap(
  name: string,
  families: readonly Family[],
  { communities = [], localPreference }: { communities?: readonly string[]; localPreference?: number | undefined } = {},
): Piece {
  const at = pathFrom("policy", "route-map", name);
  return {
    at,
    paths: families.flatMap((of) => {
      const rule = (...words: (string | number)[]) => pathFrom(...at, "rule", of === 4 ? 10 : 20, ...words);
      return [
        rule("action", "permit"),
        rule("match", WORDS[of].match, "address", "prefix-list", name),
        ...communities.map((community) => rule("set", "community", "add", community)),
        ...(localPreference === undefined ? [] : [rule("set", "local-preference", localPreference)]),
      ];
    }),
  };
}
