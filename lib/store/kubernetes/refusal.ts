/** What an API server says as a store, in words that say what to do. */
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Refused } from "#lib/k8s/api/ask.ts";
import type { Resource } from "#lib/k8s/api/resource.ts";

type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** By HTTP's status. */
const HINTS: Readonly<Record<number, string>> = {
  401: "The token or the certificate of cluster.store.kubernetes is not good any more.",
  403: "The rights that a node needs are in install/kubernetes/store.yaml.",
  404: "What Selvedge keeps there is not defined: apply install/kubernetes/store.yaml; Leases need their namespace (cluster.store.kubernetes.namespace).",
  422: "The definitions may be of another version: apply install/kubernetes/store.yaml of this one.",
};

export function refusal(verb: Verb, { plural }: Resource, { status, message }: Refused): SelvedgeError {
  const hint = HINTS[status];
  return new SelvedgeError(
    { kind: "store" },
    `API server: may not ${verb} ${plural}: ${status} ${message}`,
    hint === undefined ? {} : { hint },
  );
}

/** Why nothing was heard. @throws what is no failure of ours */
export function unanswered(error: unknown): SelvedgeError {
  if (!isFailure(error)) throw error;
  if (isFailure(error, "store")) return error;
  return new SelvedgeError({ kind: "store" }, `API server: ${error.message}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
