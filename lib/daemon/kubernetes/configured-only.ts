/** Who listens to parts of the configuration, and to nothing else. */
import { CONFIGURED } from "#lib/k8s/api/resource.ts";
import type { Listener } from "#lib/k8s/objects.ts";

/** What of them was not told as a whole must not look as if it were deleted. */
export const configuredOnly = (listener: Listener): Listener => ({
  ...listener,
  told(lacking = []) {
    if (!CONFIGURED.some(({ plural }) => lacking.includes(plural))) listener.told();
  },
});
