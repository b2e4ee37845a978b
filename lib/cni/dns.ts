/** DNS settings of a configuration or a result. They are handed on, never acted upon. */
import { type Found, fields, list, text } from "#lib/parse.ts";
import type { Dns } from "./types.ts";

/** CONVENTIONS.md has other names for the same in `runtimeConfig.dns` than SPEC.md has in `dns`. */
const NAMES = {
  result: { nameservers: "nameservers", search: "search", options: "options" },
  runtime: { nameservers: "servers", search: "searches", options: "options" },
} as const;

/** Reads DNS settings; what is empty is left out. @throws SelvedgeError config-invalid */
export function parseDns(found: Found, names: keyof typeof NAMES = "result"): Dns {
  const at = fields(found);
  const of = (key: "nameservers" | "search" | "options") => list(at(NAMES[names][key])).map((each) => text(each));
  const [nameservers, search, options] = [of("nameservers"), of("search"), of("options")];
  const domain = text(at("domain"), { or: "" });
  return {
    ...(nameservers.length > 0 && { nameservers }),
    ...(domain !== "" && { domain }),
    ...(search.length > 0 && { search }),
    ...(options.length > 0 && { options }),
  };
}
