/** What kubelet has given to pods of the pools of virtual functions that it is offered. */
import { dirname, join } from "node:path";
import type { Sriov } from "#lib/config/sriov.ts";
import { type PodDevices, podDevices } from "#lib/k8s/device-plugin/pod-devices.ts";

export interface Given {
  /** PCI addresses of the pod's own, in the order of its containers. */
  readonly own: readonly string[];
  /** Those of other pods, of whatever resource. */
  readonly others: ReadonlySet<string>;
}

/** @throws SelvedgeError not-ready: kubelet does not answer */
export type GivenOf = (pool: string) => Promise<Given>;

const NOTHING: Given = { own: [], others: new Set() };

/** @param pod `namespace/name`; kubelet is asked once, when a pool is wanted first. Nothing where it is offered none. */
export function givenOf(
  { kubeletDir, resourcePrefix, pools }: Pick<Sriov, "kubeletDir" | "resourcePrefix" | "pools">,
  pod: string | undefined,
): GivenOf {
  let asked: Promise<PodDevices> | undefined;
  return async (pool) => {
    if (kubeletDir === undefined || pod === undefined || !pools.some(({ name }) => name === pool)) return NOTHING;
    asked ??= podDevices(podResourcesIn(kubeletDir), pod);
    const { own, others } = await asked;
    return { own: own.get(`${resourcePrefix}/${pool}`) ?? [], others };
  };
}

/** The socket of kubelet's pod-resources API, beside the directory where device plugins meet. */
export const podResourcesIn = (kubeletDir: string): string => join(dirname(kubeletDir), "pod-resources/kubelet.sock");
