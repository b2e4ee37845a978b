/** PATCH of a pod's subresource `status` in an API server that holds what it is given, as far as annotations go. */
import { isDeepStrictEqual } from "node:util";
import type { ApiObject, collection } from "./collection.ts";
import { merged, type Outcome } from "./writes.ts";

/** Of a pod of that name; what is the same as before is not written again. */
export function patchStatus(objects: ReturnType<typeof collection>, pod: ApiObject, patch: ApiObject): Outcome {
  const before = objects.find(pod);
  if (before === undefined) return [404, `pods "${pod.metadata.name}" not found`];
  const { uid = before.metadata.uid } = patch.metadata;
  if (uid !== before.metadata.uid)
    return [422, `Pod "${pod.metadata.name}" is invalid: metadata.uid: Invalid value: "${uid}": field is immutable`];
  const after = merged(before, patch) as ApiObject;
  if (!isDeepStrictEqual(before, after)) objects.put(after);
  return [200, objects.find(pod) ?? after];
}
