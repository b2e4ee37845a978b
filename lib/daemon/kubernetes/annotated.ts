/** A request as if the runtime had handed over the pod's annotations. */
import type { NetConf, Request } from "#lib/cni/types.ts";
import type { Core } from "../core.ts";
import { podNameOf } from "../policy/held.ts";

/** CONVENTIONS.md of containerd: the capability by which a runtime hands them over. */
const CAPABILITY = "io.kubernetes.cri.pod-annotations";

/**
 * With those that Kubernetes tells of, where the runtime hands none over. The attachment keeps the request that comes of
 * it, so that what was decided by annotations can be decided again.
 * @throws SelvedgeError not-ready
 */
export async function annotated(
  { kubernetes, policies }: Pick<Core, "kubernetes" | "policies">,
  request: Request,
  { pod, wishes }: NetConf,
): Promise<Request> {
  if (kubernetes === undefined || pod === undefined || Object.keys(wishes.podAnnotations).length > 0) return request;
  // Otherwise it would be waited for a server that nothing was had from yet, for each pod.
  policies?.mustBeInformed();
  const name = podNameOf({ pod, args: request.args });
  const annotations = name === undefined ? {} : await kubernetes.annotationsOf(name);
  if (Object.keys(annotations).length === 0) return request;
  const config = JSON.parse(Buffer.from(request.config).toString()) as { readonly runtimeConfig?: object };
  const runtimeConfig = { ...config.runtimeConfig, [CAPABILITY]: annotations };
  return { ...request, config: Buffer.from(JSON.stringify({ ...config, runtimeConfig })) };
}
