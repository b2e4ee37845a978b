/** The part of the configuration's shape that is about network policies. */
import { z } from "zod";
import { absolutePath, flag, setting } from "./leaves.ts";

export const policies = z.strictObject(
  {
    directory: setting(
      absolutePath.optional(),
      "Where manifests of NetworkPolicy, ClusterNetworkPolicy, Namespace, Pod and NetworkAttachmentDefinition lie, as `*.yaml`, `*.yml` or `*.json`; changes are followed.",
      "policies come from Kubernetes",
    ),
    logDenied: setting(flag.default(false), "A line in the log for every flow that is denied."),
    audit: setting(flag.default(false), "What policies deny is counted and goes on."),
  },
  { error: "an object such as {directory: /etc/selvedge/policies}" },
);
