/** Where an API server is, and who asks: read anew for every request, since tokens and certificates are renewed in place. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SelvedgeError } from "#lib/errors.ts";

/** PEM texts, not files. */
export interface Access {
  readonly server: URL;
  /** Absent: the machine's authorities count. */
  readonly ca?: string;
  /** Name in the server's certificate, where it is not the host of `server`. */
  readonly serverName?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
}

/** @throws SelvedgeError config-invalid: a file is missing, or says something else */
export type ReadAccess = () => Promise<Access>;

/** Where kubelet mounts a pod's service account. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * As the service account of the pod that the daemon runs in.
 * @param environment of the process: kubelet gives KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT
 * @param setting what says otherwise, where it runs in no pod
 * @throws SelvedgeError config-invalid: it runs in no pod
 */
export function serviceAccount(
  environment: Readonly<Record<string, string | undefined>>,
  { directory = SERVICE_ACCOUNT, setting = "kubernetes.kubeconfig" }: { directory?: string; setting?: string } = {},
): ReadAccess {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (host === "")
    throw new SelvedgeError(
      { kind: "config-invalid", field: setting },
      `${setting}: is missing; it must be an absolute path, as the daemon runs in no pod of Kubernetes`,
      { hint: "In a pod the environment has KUBERNETES_SERVICE_HOST, and the service account is used." },
    );
  const server = new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`);
  return async () => {
    const [ca, token] = await Promise.all(["ca.crt", "token"].map((name) => textIn(join(directory, name))));
    return { server, ca: ca ?? "", token: (token ?? "").trim() };
  };
}

/** @throws SelvedgeError config-invalid */
export async function textIn(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new SelvedgeError({ kind: "config-invalid", field: file }, `kubernetes: ${(cause as Error).message}`, {
      cause,
    });
  }
}
