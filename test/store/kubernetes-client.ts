/** A client of the shared store in an API server on this machine. */
import { kubernetes } from "#lib/store/kubernetes/kubernetes.ts";
import type { ContractClient } from "#lib/store/shared-contract.ts";
import { clientOnLine } from "./client-on-line.ts";

export interface ClientOptions {
  /** Of the server. */
  readonly port: number;
  readonly ca: string;
  readonly token: string;
  readonly livenessSeconds: number;
}

export const kubernetesClient = ({ port, ca, token, livenessSeconds }: ClientOptions): Promise<ContractClient> =>
  clientOnLine(port, (own) =>
    kubernetes({
      access: async () => ({ server: new URL(`https://127.0.0.1:${own}`), ca, token }),
      userAgent: "selvedged/test",
      namespace: "selvedge",
      holder: "test",
      livenessSeconds,
    }),
  );
