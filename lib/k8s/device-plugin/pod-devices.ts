/** Which devices kubelet has given to the containers of a pod. */
import { type ListPodResourcesResponse, PodResourcesLister } from "#proto/pod-resources_pb.ts";
import { askKubelet } from "./kubelet-call.ts";

export interface PodDevices {
  /** By resource, in the order of the pod's containers. */
  readonly own: ReadonlyMap<string, readonly string[]>;
  /** Those of all other pods that kubelet lists, some of which may have ended. */
  readonly others: ReadonlySet<string>;
}

/**
 * Kubelet gives them before it has the pod attached.
 * @param socket `/var/lib/kubelet/pod-resources/kubelet.sock`
 * @param pod `namespace/name`
 * @throws SelvedgeError not-ready: kubelet does not answer
 */
export async function podDevices(socket: string, pod: string): Promise<PodDevices> {
  const { podResources } = await askKubelet<ListPodResourcesResponse>(
    socket,
    PodResourcesLister,
    "list",
    {},
    "say which devices pods have",
  );
  const own = new Map<string, string[]>();
  const others = new Set<string>();
  for (const { namespace, name, containers } of podResources)
    for (const { resourceName, deviceIds } of containers.flatMap(({ devices }) => devices))
      if (`${namespace}/${name}` === pod) own.set(resourceName, [...(own.get(resourceName) ?? []), ...deviceIds]);
      else for (const id of deviceIds) others.add(id);
  return { own, others };
}
