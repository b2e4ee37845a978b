/** What became of a part of the configuration, written into its status. */
import { SelvedgeError } from "#lib/errors.ts";
import { type Configured, type Said, STATUS_FIELD } from "../objects.ts";
import type { Ask, Refused } from "./ask.ts";
import { CONFIGURED } from "./resource.ts";

const PATCH_MS = 10_000;
/** It is no such object by the schema (HTTP's 422), whatever else is said of it. */
const INVALID = 422;
/** A step failed (apimachinery, pkg/api/errors, NewGenericServerResponse); what the schema forbids is told in other words. */
const FAILED_STEP = "the server rejected our request due to an error in our request";

/**
 * By the subresource `status`, whose right (`patch networks/status`) does not let its bearer change what is wanted.
 * @returns whether it is there
 * @throws SelvedgeError not-ready; config-invalid: it is not taken of this one
 */
export async function say(
  ask: Ask,
  { kind, name, uid, generation }: Configured,
  conditions: readonly Said[],
  more: object = {},
): Promise<boolean> {
  const resource = CONFIGURED.find((each) => each.kind === kind);
  if (resource === undefined) throw new TypeError(`${kind} is no part of the configuration`);
  const answer = await ask({
    path: `${resource.path}/${encodeURIComponent(name)}/status`,
    change: {
      method: "PATCH",
      body: [
        // Of a custom resource's status the server heeds no uid that fields of it are merged with.
        { op: "test", path: "/metadata/uid", value: uid },
        // Nobody else says anything of it: all of it is written.
        { op: "add", path: "/status", value: { observedGeneration: generation, conditions, ...more } },
      ],
    },
    signal: AbortSignal.timeout(PATCH_MS),
  });
  if ("stream" in answer) {
    answer.stream.resume();
    return true;
  }
  if (answer.status === 404 || isOfAnother(answer)) return false;
  const [plural] = resource.plural.split(".");
  throw new SelvedgeError(
    answer.status === INVALID ? { kind: "config-invalid", field: STATUS_FIELD } : { kind: "not-ready" },
    `may not patch ${plural}/status: ${answer.status} ${answer.message}`,
  );
}

/** Another object has come under the name: of the steps the test alone can fail. */
const isOfAnother = ({ status, message }: Refused): boolean => status === INVALID && message === FAILED_STEP;
