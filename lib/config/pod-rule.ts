/** How settings say which pods they mean; everything that a rule names must hold. */
import { leaf, setting, words } from "./leaves.ts";

const texted = leaf<Record<string, string>>(
  "an object whose values are texts",
  (v) =>
    typeof v === "object" &&
    v !== null &&
    !Array.isArray(v) &&
    Object.values(v).every((each) => typeof each === "string"),
  { type: "object", additionalProperties: { type: "string" } },
);

export const podRule = {
  namespace: setting(words.optional(), "Kubernetes namespace of the pod; `*` stands for any letters."),
  pod: setting(words.optional(), "Name of the pod; `*` stands for any letters."),
  labels: setting(texted.optional(), "Labels that the pod has, all of them."),
  annotations: setting(texted.optional(), "Annotations that the pod has, all of them."),
} as const;
