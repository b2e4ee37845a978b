/** Which devices kubelet has given to the containers of a pod. */
import { type ListPodResourcesResponse, PodResourcesLister } from "#proto/pod-resources_pb.ts";
import type { PodName } from "../objects.ts";
import { askKubelet } from "./kubelet-call.ts";

/**
 * By resource, in the order of the pod's containers; kubelet gives them before it has the pod attached.
 * @param socket `/var/lib/kubelet/pod-resources/kubelet.sock`
 * @throws SelvedgeError not-ready: kubelet does not answer
 */
export async function podDevices(
  socket: string,
  { namespace, name }: Pick<PodName, "namespace" | "name">,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { podResources } = await askKubelet<ListPodResourcesResponse>(
    socket,
    PodResourcesLister,
    "list",
    {},
    "say which devices pods have",
  );
  const own = podResources.filter((pod) => pod.namespace === namespace && pod.name === name);
  const given = own.flatMap(({ containers }) => containers.flatMap(({ devices }) => devices));
  const devices = new Map<string, string[]>();
  for (const { resourceName, deviceIds } of given)
    devices.set(resourceName, [...(devices.get(resourceName) ?? []), ...deviceIds]);
  return devices;
}
