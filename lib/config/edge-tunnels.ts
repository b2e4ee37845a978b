/** Tunnels of a router, each of one of two kinds. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import type { Path } from "./yaml.ts";

/**
 * Which kind a tunnel is, where it is one, and what is wrong with that.
 * @param kinds what the names of their interfaces begin with
 */
export function tunnelKind<Kind extends string>(
  tunnel: unknown,
  path: Path,
  kinds: Readonly<Record<Kind, string>>,
): { readonly kind?: Kind; readonly mistakes: Complaint[] } {
  const names = Object.keys(kinds) as Kind[];
  const given = names.filter((name) => lookUp(tunnel, [name]) !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    return { mistakes: [complaint(path, `needs either ${names.map((name) => `\`${name}\``).join(" or ")}`)] };
  const link = lookUp(tunnel, ["interface"]);
  if (typeof link !== "string" || link.startsWith(kinds[kind])) return { kind, mistakes: [] };
  const text = `"${link}" is not possible with \`${kind}\`; its interfaces begin with ${kinds[kind]}`;
  return { kind, mistakes: [complaint([...path, "interface"], text)] };
}
