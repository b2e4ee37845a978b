/** Annotations of a pod, written. */
import { SelvedgeError } from "#lib/errors.ts";
import type { PodName } from "../objects.ts";
import type { Ask, Refused } from "./ask.ts";

const PATCH_MS = 10_000;

/**
 * By the subresource `status`, whose right (`patch pods/status`) does not let its bearer change what a pod runs, as
 * `patch pods` would (pkg/registry/core/pod/strategy.go, podStatusStrategy: of a pod it takes metadata and status).
 * @returns whether the pod is there
 * @throws SelvedgeError not-ready
 */
export async function annotate(
  ask: Ask,
  { namespace, name, uid }: PodName,
  annotations: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [at, of] = [namespace, name].map(encodeURIComponent);
  const metadata = { ...(uid === undefined ? {} : { uid }), annotations };
  const answer = await ask({
    path: `/api/v1/namespaces/${at}/pods/${of}/status`,
    change: { method: "PATCH", body: { metadata } },
    signal: AbortSignal.timeout(PATCH_MS),
  });
  if ("stream" in answer) {
    answer.stream.resume();
    return true;
  }
  if (answer.status === 404 || isOfAnother(answer)) return false;
  throw new SelvedgeError({ kind: "not-ready" }, `may not patch pods/status: ${answer.status} ${answer.message}`);
}

/** Another pod has come under the name: a uid never changes (apimachinery, ValidateObjectMetaAccessorUpdate). */
const isOfAnother = ({ status, message }: Refused): boolean => status === 422 && message.includes("metadata.uid");
