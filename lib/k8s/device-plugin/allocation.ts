/** What kubelet is told of a pool of devices, and what a container that gets some of them needs. Pure. */
import type {
  ContainerAllocateResponse,
  ContainerPreferredAllocationRequest,
  Device,
  Entry,
} from "#proto/device-plugin_pb.ts";

/** One device of a pool. */
export interface Offer {
  /** PCI address: what comes back as `runtimeConfig.deviceID`. */
  readonly id: string;
  /** It can be given to a pod, or a pod has it. */
  readonly isHealthy: boolean;
  readonly numaNode?: number;
  /** Device nodes that a container opens to drive it: `/dev/vfio/87`. */
  readonly nodes: readonly string[];
}

export const deviceOf = ({ id, isHealthy, numaNode }: Offer): Device => ({
  ID: id,
  health: isHealthy ? "Healthy" : "Unhealthy",
  ...(numaNode === undefined ? {} : { topology: { nodes: [{ ID: numaNode }] } }),
});

/** `selvedge.dev/fast` becomes `PCIDEVICE_SELVEDGE_DEV_FAST`, as the SR-IOV network device plugin has it. */
const variableOf = (resource: string): string => `PCIDEVICE_${resource.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;

export function allocation(resource: string, offers: readonly Offer[]): ContainerAllocateResponse {
  const envs: Entry[] = [{ key: variableOf(resource), value: offers.map(({ id }) => id).join(",") }];
  const nodes = new Set(offers.flatMap((offer) => offer.nodes));
  return {
    envs,
    mounts: [],
    devices: [...nodes].map((path) => ({ containerPath: path, hostPath: path, permissions: "rw" })),
    annotations: [],
  };
}

/** Those that must be among them, then those of the same NUMA nodes, each in the order of their addresses. */
export function preferred(
  { availableDeviceIDs, mustIncludeDeviceIDs, allocationSize }: ContainerPreferredAllocationRequest,
  offers: readonly Offer[],
): string[] {
  const nodeOf = new Map(offers.map(({ id, numaNode }) => [id, numaNode]));
  const chosen = [...mustIncludeDeviceIDs];
  const rest = availableDeviceIDs.filter((id) => !chosen.includes(id)).sort();
  const counts = new Map<number | undefined, number>();
  for (const id of rest) counts.set(nodeOf.get(id), (counts.get(nodeOf.get(id)) ?? 0) + 1);
  const [roomiest] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [undefined];
  const wanted = new Set(chosen.length > 0 ? chosen.map((id) => nodeOf.get(id)) : [roomiest]);
  const near = rest.filter((id) => wanted.has(nodeOf.get(id)));
  const far = rest.filter((id) => !wanted.has(nodeOf.get(id)));
  return [...chosen, ...near, ...far].slice(0, Math.max(allocationSize, chosen.length));
}
