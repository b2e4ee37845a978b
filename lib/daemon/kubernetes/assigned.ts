/** Devices that kubelet has given to a pod, handed to those of its networks whose definitions name their resource. */
import type { Sriov } from "#lib/config/sriov.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { podDevices } from "#lib/k8s/device-plugin/pod-devices.ts";
import { podResourcesIn } from "./given.ts";

export interface AssignedDevices {
  /**
   * The next device of a resource, in the order in which its containers have them. Undefined: no resource is named, or the
   * configuration names no kubelet.
   * @throws SelvedgeError not-ready: kubelet does not answer; config-invalid: the pod has no further one
   */
  next(resource: string | undefined): Promise<string | undefined>;
}

/** @param pod `namespace/name`; kubelet is asked once, when a device is wanted first */
export function assignedDevices({ kubeletDir }: Pick<Sriov, "kubeletDir">, pod: string | undefined): AssignedDevices {
  let asked: ReturnType<typeof podDevices> | undefined;
  const used = new Map<string, number>();
  return {
    async next(resource) {
      if (resource === undefined || kubeletDir === undefined || pod === undefined) return undefined;
      asked ??= podDevices(podResourcesIn(kubeletDir), pod);
      const given = (await asked).own.get(resource) ?? [];
      const index = used.get(resource) ?? 0;
      used.set(resource, index + 1);
      const device = given[index];
      if (device !== undefined) return device;
      throw new SelvedgeError(
        { kind: "config-invalid", field: "resourceName" },
        `resourceName: kubelet gave pod ${pod} ${given.length} of ${resource}, and it is on more networks of it`,
        { hint: `Ask for as many in resources.limits of a container: "${resource}": ${index + 1}.` },
      );
    },
  };
}
