/** When an API server judges by roles as they are now: it has a copy of them, which it is told of a moment later. */
import { eventually } from "../../conformance/program.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type Right, rightInWords } from "./grants.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** Waits until it says so of the bearer of the token. It forgets nothing that it has heard, so that it stays so. */
export async function heard(
  { answer }: Pick<ControlPlane, "answer">,
  token: string,
  right: Right,
  isAllowed: boolean,
): Promise<void> {
  const { verb, group, namespace, name } = right;
  const [resource, subresource] = right.resource.split("/");
  const object = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  };
  await eventually(`${rightInWords(right)} is ${isAllowed ? "given" : "taken away"}`, async () => {
    const { status, text } = await answer(token, "POST", REVIEWS, { object });
    if (status !== 201) throw new Error(`${status} ${text}`);
    return (JSON.parse(text) as { status: { allowed: boolean } }).status.allowed === isAllowed || undefined;
  });
}
