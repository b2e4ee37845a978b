/** Stands for kubelet where it says which devices pods have. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { definition } from "#lib/api/definition.ts";
import { type ListPodResourcesResponse, type PodResources, PodResourcesLister } from "#proto/pod-resources_pb.ts";

export interface FakePodResources extends Disposable {
  /** How often it was asked. */
  readonly asked: () => number;
}

/** @param refusal what it answers instead */
export async function fakePodResources(
  socket: string,
  pods: readonly PodResources[],
  refusal?: string,
): Promise<FakePodResources> {
  let asked = 0;
  const server = new Server();
  server.addService(definition(PodResourcesLister), {
    list(_call: object, answer: (error: object | null, reply?: Partial<ListPodResourcesResponse>) => void) {
      asked++;
      if (refusal === undefined) answer(null, { podResources: [...pods] });
      else answer({ code: 8, details: refusal });
    },
  });
  await mkdir(dirname(socket), { recursive: true });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (e) => (e ? reject(e) : resolve())),
  );
  return { asked: () => asked, [Symbol.dispose]: () => server.forceShutdown() };
}

/** @param name `namespace/name`; each of the containers has devices by resource */
export const podWith = (name: string, ...containers: readonly Record<string, string[]>[]): PodResources => {
  const [namespace = "", own = ""] = name.split("/");
  return {
    namespace,
    name: own,
    containers: containers.map((devices, index) => ({
      name: `c${index}`,
      devices: Object.entries(devices).map(([resourceName, deviceIds]) => ({ resourceName, deviceIds })),
    })),
  };
};
