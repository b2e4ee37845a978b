/** The part of the configuration's shape that is about Kubernetes. */
import { z } from "zod";
import { absolutePath, flag, setting } from "./leaves.ts";

export const kubernetes = z.strictObject(
  {
    kubeconfig: setting(
      absolutePath.optional(),
      "File that says where the API server is and who asks, by a token or a certificate; read again for every request.",
      "the service account of the pod that the daemon runs in",
    ),
    resources: setting(
      flag.default(false),
      "Its objects Tenant, AddressPool, Network and Router count beside `tenants`, `pools`, `networks` and `edge.routers`; install/kubernetes/resources.yaml defines them.",
    ),
  },
  { error: "an object such as {kubeconfig: /etc/selvedge/kubeconfig}, or {} in a pod" },
);
