/** Who listens to parts of the configuration, and to nothing else. */
import { CONFIGURED, type Resource } from "#lib/k8s/api/resource.ts";
import type { Listener } from "#lib/k8s/objects.ts";

/**
 * What of them was not told as a whole must not look as if it were deleted. A kind that the node may not list, as one whose
 * rights are older than the kind, holds up no other where nothing of it can have been deleted.
 * @param keeps whether the node has been told of one of the kind before
 */
export function configuredOnly(listener: Listener, keeps: (kind: string) => boolean): Listener {
  const forbidden = new Set<string>();
  let untold: readonly string[] | undefined;
  const isMissing = ({ plural, kind }: Resource): boolean =>
    untold?.includes(plural) !== false && (!forbidden.has(plural) || keeps(kind));
  const tell = (): void => {
    if (!CONFIGURED.some(isMissing)) listener.told();
  };
  return {
    ...listener,
    remove(name) {
      forbidden.delete(name);
      listener.remove(name);
    },
    told(lacking = []) {
      untold = lacking;
      tell();
    },
    failed(name, message, why) {
      listener.failed(name, message, why);
      if (why !== "forbidden") return;
      forbidden.add(name);
      if (untold !== undefined) tell();
    },
  };
}
