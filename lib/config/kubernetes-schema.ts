/** The part of the configuration's shape that is about Kubernetes. */
import { z } from "zod";
import { absolutePath, setting } from "./leaves.ts";

export const kubernetes = z.strictObject(
  {
    kubeconfig: setting(
      absolutePath.optional(),
      "File that says where the API server is and who asks, by a token or a certificate; read again for every request.",
      "the service account of the pod that the daemon runs in",
    ),
  },
  { error: "an object such as {kubeconfig: /etc/selvedge/kubeconfig}, or {} in a pod" },
);
