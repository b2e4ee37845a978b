/** Everything there is of a resource, page by page, as of one moment. */
import { fields, list, root, text } from "#lib/parse.ts";
import type { Ask, Refused } from "./ask.ts";
import { wholeJson } from "./body.ts";
import { versionOf } from "./head.ts";
import { type Resource, withKind } from "./resource.ts";

/** As many as client-go asks for. */
const PAGE = 500;
/** Half a megabyte for each object of a page; etcd takes up to one and a half. */
const MOST_PAGE_BYTES = 256 * 1024 * 1024;
/** As long as a server takes for any request that is no watch (kube-apiserver --request-timeout). */
const PAGE_MS = 60_000;

/**
 * Reads what is true now, not what a server's cache had some time ago: a pod must not start with yesterday's policies.
 * @param labelled label selector: which of them
 * @returns the version from which changes follow
 * @throws SelvedgeError not-ready, config-invalid
 */
export async function listAll(
  ask: Ask,
  resource: Resource,
  {
    take,
    signal,
    labelled,
  }: { readonly take: (object: object) => void; readonly signal: AbortSignal; readonly labelled?: string },
): Promise<{ readonly version: string } | Refused> {
  for (let next = ""; ; ) {
    const answer = await ask({
      path: resource.path,
      query: {
        limit: `${PAGE}`,
        ...(resource.only === undefined ? {} : { fieldSelector: resource.only }),
        ...(labelled === undefined ? {} : { labelSelector: labelled }),
        ...(next === "" ? {} : { continue: next }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(PAGE_MS)]),
    });
    if ("status" in answer) return answer;
    const page = await wholeJson(answer, MOST_PAGE_BYTES);
    const at = fields(root(page));
    for (const { value } of list(at("items"))) take(withKind(resource, value as object));
    next = text(fields(at("metadata"))("continue"), { or: "" });
    if (next === "") return { version: versionOf(page) };
  }
}
