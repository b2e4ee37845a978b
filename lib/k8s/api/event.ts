/** What a watch tells (meta/v1 WatchEvent). */
import { SelvedgeError } from "#lib/errors.ts";
import { fields, integer, oneOf, root, text } from "#lib/parse.ts";
import { headOf, versionOf } from "./head.ts";
import { type Resource, withKind } from "./resource.ts";

export type WatchEvent =
  | { readonly type: "put"; readonly object: object; readonly version: string }
  | { readonly type: "remove"; readonly name: string; readonly object: object; readonly version: string }
  /** Nothing has changed up to there. */
  | { readonly type: "bookmark"; readonly version: string }
  /** What follows the version that was asked for is not known any more: HTTP's 410, Gone. */
  | { readonly type: "expired" };

/** @throws SelvedgeError config-invalid: it is none; not-ready: the watch has failed */
export function eventOf(resource: Resource, value: unknown): WatchEvent {
  const at = fields(root(value));
  const object = at("object").value as object;
  const type = oneOf(at("type"), ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return { type: "put", object: withKind(resource, object), version: versionOf(object) };
    case "DELETED":
      return {
        type: "remove",
        name: headOf(object).name,
        object: withKind(resource, object),
        version: versionOf(object),
      };
    case "BOOKMARK":
      return { type: "bookmark", version: versionOf(object) };
    case "ERROR": {
      const status = fields(at("object"));
      if (integer(status("code"), { min: 0, max: 999, or: 0 }) === 410) return { type: "expired" };
      throw new SelvedgeError({ kind: "not-ready" }, text(status("message"), { or: "the watch has failed" }));
    }
  }
}
