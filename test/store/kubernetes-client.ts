/** A client of the shared store in an API server on this machine, which reaches it by a line of its own. */
import { kubernetes } from "#lib/store/kubernetes/kubernetes.ts";
import type { ContractClient } from "#lib/store/shared-contract.ts";
import { freePort } from "./etcd-server.ts";
import { wire } from "./wire.ts";

export interface ClientOptions {
  /** Of the server. */
  readonly port: number;
  readonly ca: string;
  readonly token: string;
  readonly livenessSeconds: number;
}

export async function kubernetesClient({ port, ca, token, livenessSeconds }: ClientOptions): Promise<ContractClient> {
  const line = await wire(port, await freePort());
  const server = new URL(`https://127.0.0.1:${line.port}`);
  const shared = kubernetes({
    access: async () => ({ server, ca, token }),
    userAgent: "selvedged/test",
    namespace: "selvedge",
    holder: "test",
    livenessSeconds,
  });
  return {
    ...shared,
    cut: line.cut,
    heal: line.heal,
    async [Symbol.asyncDispose]() {
      await shared[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}
