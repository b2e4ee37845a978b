/** What became of a part of the configuration, written into its status. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Said } from "../objects.ts";
import type { Ask } from "./ask.ts";
import { CONFIGURED } from "./resource.ts";

const PATCH_MS = 10_000;

/** By the subresource `status`, whose right (`patch networks/status`) does not let its bearer change what is wanted. @throws SelvedgeError not-ready */
export async function say(
  ask: Ask,
  { kind, name }: { readonly kind: string; readonly name: string },
  condition: Said,
): Promise<boolean> {
  const resource = CONFIGURED.find((each) => each.kind === kind);
  if (resource === undefined) throw new TypeError(`${kind} is no part of the configuration`);
  const answer = await ask({
    path: `${resource.path}/${encodeURIComponent(name)}/status`,
    // Nobody else says anything of it: the list is written as a whole.
    change: {
      method: "PATCH",
      body: { status: { observedGeneration: condition.observedGeneration, conditions: [condition] } },
    },
    signal: AbortSignal.timeout(PATCH_MS),
  });
  if ("stream" in answer) {
    answer.stream.resume();
    return true;
  }
  if (answer.status === 404) return false;
  const [plural] = resource.plural.split(".");
  throw new SelvedgeError({ kind: "not-ready" }, `may not patch ${plural}/status: ${answer.status} ${answer.message}`);
}
