/** Whether the kernel can do what `cluster.flowOffload` asks for. */
import type { ClusterWays } from "#lib/config/cluster.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { absence, type FeatureName } from "#lib/state/features.ts";

/** @throws SelvedgeError config-invalid where it is asked for and the kernel lacks it: the whole table would be refused */
export function refuseOffload(
  { flowOffload }: Pick<ClusterWays, "flowOffload">,
  present: ReadonlySet<FeatureName>,
): void {
  if (!flowOffload || present.has("flow-offload")) return;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "cluster.flowOffload" },
    `cluster.flowOffload: ${absence("flow-offload")}`,
    { hint: "Or leave it out: packets then pass the firewall's chains, as they do without it." },
  );
}
