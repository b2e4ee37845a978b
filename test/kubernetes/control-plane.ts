/** A real API server with Debian's etcd, in the namespace of the test. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, must, stop } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import { LIVE } from "../support/live-node.ts";
import { logged } from "./logged.ts";

/** Where build.sh puts what it builds. */
export const PROGRAMS = join(import.meta.dirname, "../../.cache/kubernetes");
const API_SERVER = join(PROGRAMS, "kube-apiserver");
const KUBECTL = join(PROGRAMS, "kubectl");
const ETCD = "http://127.0.0.1:2379";
const ETCD_PEER = "http://127.0.0.1:2380";
const PORT = 6443;
/** Of whoever may do everything. */
const ADMIN = "administrator";
const START_MS = 120_000;
/** Where services have their addresses. */
const SERVICES = "10.96.0.0/16";
/** The API server's own there: the first. */
const SERVICE = "10.96.0.1";

/** For `needing`. */
export const CONTROL_PLANE_NEEDS = [
  ...LIVE,
  { program: "python3" },
  { program: "openssl" },
  { program: "etcd" },
  { program: "etcdctl" },
  { file: API_SERVER },
  { file: KUBECTL },
] as const;

/** Somebody who may ask, by a token that is known from the start. */
export interface User {
  readonly token: string;
  readonly name: string;
  readonly group: string;
}

export interface ControlPlaneOptions {
  /** Of this namespace, besides 127.0.0.1, by which the server is reached; pods are told of the first. */
  readonly addresses?: readonly string[];
  readonly users?: readonly User[];
  /** Controllers make service accounts for pods, so that pods may be held to them. */
  readonly controllers?: true;
}

/** What a request takes besides its method and path. */
export interface Asked {
  readonly object?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlPlane extends AsyncDisposable {
  readonly url: string;
  /** Of what it wrote: logs, certificates, the administrator's kubeconfig. */
  readonly files: {
    readonly directory: string;
    readonly admin: string;
    readonly ca: string;
    /** Signs the tokens of service accounts. */
    readonly accountKey: string;
  };
  /** PEM. */
  readonly ca: string;
  readonly admin: string;
  /** Returns what it prints. @throws Error with what it complains of */
  kubectl(argv: readonly string[], input?: string | object): Promise<string>;
  /** Creates an object, replaces, changes (RFC 7396) or deletes it, without the time that kubectl takes. Returns when it was asked, ms since the epoch. */
  ask(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, object?: object): Promise<number>;
  /** What the bearer of a token is answered, whatever that is. PATCH as with `ask`. */
  answer(
    token: string,
    method: string,
    path: string,
    asked?: Asked,
  ): Promise<{ readonly status: number; readonly text: string }>;
  /** A token of the manifest's service account, `selvedge` in kube-system, which is there. */
  accountToken(): Promise<string>;
  /** A kubeconfig for the bearer of a token. @param host by which the server is reached */
  kubeconfig(token: string, host?: string): string;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** etcd forgets every revision before the newest. */
  compact(): Promise<void>;
}

export async function controlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { addresses = [], users = [], controllers = false } = options;
  const directory = mkdtempSync(join(tmpdir(), "kubernetes-"));
  const certificates = pki();
  const authority = certificates.authority("kubernetes");
  const identity = authority.issue(
    "kube-apiserver",
    ["127.0.0.1", SERVICE, ...addresses].map((each) => `IP:${each}`),
  );
  const accounts = certificates.authority("service-accounts");
  const accountKey = join(certificates.directory, "service-accounts.key");
  const tokens = join(directory, "tokens.csv");
  const all = [{ token: ADMIN, name: "admin", group: "system:masters" }, ...users];
  writeFileSync(tokens, all.map(({ token, name, group }) => `${token},${name},${name},"${group}"\n`).join(""));
  const begin = (name: string, argv: readonly string[]): ChildProcess => logged(join(directory, `${name}.log`), argv);
  const etcd = begin("etcd", [
    "etcd",
    "--name=one",
    `--data-dir=${join(directory, "etcd")}`,
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=one=${ETCD_PEER}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ]);
  const url = `https://127.0.0.1:${PORT}`;
  const ca = readFileSync(authority.ca, "utf8");
  const answer: ControlPlane["answer"] = (token, method, path, { object, headers } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const body = object === undefined ? "" : JSON.stringify(object);
    const all = {
      authorization: `Bearer ${token}`,
      "content-type": type,
      // Of a DELETE Node would not say it.
      "content-length": Buffer.byteLength(body),
      ...headers,
    };
    const asking = request(`${url}${path}`, { method, ca, headers: all, timeout: 10_000 }, (answered) => {
      let text = "";
      answered.on("data", (part: Buffer) => {
        text += part.toString();
      });
      answered.once("end", () => resolve({ status: answered.statusCode ?? 0, text }));
    });
    asking.once("error", reject);
    asking.end(body);
    return promise;
  };
  let server: ChildProcess | undefined;
  const kubeconfigOf = (token: string, host = "127.0.0.1"): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      clusters: [
        {
          name: "test",
          cluster: {
            server: `https://${host}:${PORT}`,
            "certificate-authority-data": Buffer.from(ca).toString("base64"),
          },
        },
      ],
      users: [{ name: "test", user: { token } }],
    });
  const adminFile = join(directory, "admin.kubeconfig");
  writeFileSync(adminFile, kubeconfigOf(ADMIN));
  const startServer = async (): Promise<void> => {
    const begun = begin("kube-apiserver", [
      API_SERVER,
      `--etcd-servers=${ETCD}`,
      "--etcd-compaction-interval=0",
      `--secure-port=${PORT}`,
      `--tls-cert-file=${identity.certificate}`,
      `--tls-private-key-file=${identity.key}`,
      `--cert-dir=${join(directory, "certificates")}`,
      `--service-cluster-ip-range=${SERVICES}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-signing-key-file=${accountKey}`,
      `--service-account-key-file=${accounts.ca}`,
      "--authorization-mode=Node,RBAC",
      `--token-auth-file=${tokens}`,
      ...(controllers ? [] : ["--disable-admission-plugins=ServiceAccount"]),
      // As kubeadm starts it.
      "--allow-privileged=true",
      `--advertise-address=${addresses[0] ?? "127.0.0.1"}`,
      `--endpoint-reconciler-type=${addresses.length === 0 ? "none" : "lease"}`,
      // Where logs and exec are had.
      "--kubelet-preferred-address-types=InternalIP",
      "--shutdown-delay-duration=0s",
    ]);
    server = begun;
    await eventually(
      "the API server is ready",
      async () => {
        if (begun.exitCode !== null)
          throw new Error(readFileSync(join(directory, "kube-apiserver.log"), "utf8").slice(-2_000));
        return (await answer(ADMIN, "GET", "/readyz")).text === "ok" || undefined;
      },
      START_MS,
    );
  };
  const stopServer = async (): Promise<void> => {
    // It would wait for its watches to end.
    if (server !== undefined) await stop(server, 1_000);
    server = undefined;
  };
  const dispose = async (): Promise<void> => {
    await stopServer();
    await stop(etcd);
    certificates[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await startServer();
  } catch (error) {
    await dispose();
    throw error;
  }
  const etcdctl = (...argv: readonly string[]): Promise<string> =>
    must(["etcdctl", `--endpoints=${ETCD}`, ...argv], {
      environment: { ETCDCTL_API: "3", PATH: process.env.PATH ?? "" },
    });
  const kubectl = (argv: readonly string[], input: string | object = "") =>
    must([KUBECTL, `--kubeconfig=${adminFile}`, ...argv], {
      environment: { HOME: directory, PATH: process.env.PATH ?? "" },
      input: typeof input === "string" ? input : JSON.stringify(input),
      deadlineMs: 60_000,
    });
  return {
    url,
    files: { directory, admin: adminFile, ca: authority.ca, accountKey },
    ca,
    admin: ADMIN,
    kubectl,
    async ask(method, path, object) {
      const atMs = Date.now();
      const { status, text } = await answer(ADMIN, method, path, object === undefined ? {} : { object });
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
      return atMs;
    },
    answer,
    accountToken: async () => (await kubectl(["create", "token", "selvedge", "--namespace=kube-system"])).trim(),
    kubeconfig: kubeconfigOf,
    startServer,
    stopServer,
    async compact() {
      const { header } = JSON.parse(await etcdctl("get", "x", "--write-out=json")) as { header: { revision: number } };
      await etcdctl("compaction", String(header.revision));
    },
    [Symbol.asyncDispose]: dispose,
  };
}
