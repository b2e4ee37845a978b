/** A real etcd of one member for a test, on addresses of the test's own network namespace. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const ETCD = "/usr/bin/etcd";

export interface EtcdServer extends AsyncDisposable {
  /** Clients' endpoint: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** One call through etcd's JSON gateway (not with TLS): `/v3/kv/range`. Texts of the API's `bytes` are base64. */
  call(path: string, body: object): Promise<Record<string, unknown>>;
  compact(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Ends it and starts one without its data at the same endpoint. */
  startEmpty(): Promise<void>;
}

export interface TlsServer {
  readonly certificate: string;
  readonly key: string;
  /** Of clients' certificates. */
  readonly ca: string;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

export async function etcdServer(tls?: TlsServer): Promise<EtcdServer> {
  const directory = await mkdtemp(join(tmpdir(), "selvedge-etcd-"));
  const [port, peerPort] = [await freePort(), await freePort()];
  const endpoint = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let generation = 0;

  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${endpoint}${path}`, { method: "POST", body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };

  async function start(): Promise<void> {
    const peer = `http://127.0.0.1:${peerPort}`;
    const secure =
      tls === undefined
        ? []
        : [
            `--cert-file=${tls.certificate}`,
            `--key-file=${tls.key}`,
            `--trusted-ca-file=${tls.ca}`,
            "--client-cert-auth",
          ];
    const started = spawn(
      ETCD,
      [
        "--name=one",
        `--data-dir=${join(directory, `data${generation}`)}`,
        `--listen-client-urls=${endpoint}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=one=${peer}`,
        `--initial-cluster-token=${generation}`,
        "--unsafe-no-fsync",
        "--log-level=error",
        ...secure,
      ],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
    child = started;
    const deadline = performance.now() + 20_000;
    while (!(await isServing(port))) {
      if (started.exitCode !== null) throw new Error(`etcd has ended with ${started.exitCode}`);
      if (performance.now() > deadline) throw new Error("etcd does not listen");
      await sleep(50);
    }
    while (tls === undefined && !(await isHealthy(endpoint))) await sleep(50);
  }

  async function stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const ended = child;
    child = undefined;
    if (ended === undefined || ended.exitCode !== null) return;
    ended.kill(signal);
    await once(ended, "exit");
  }

  await start();
  return {
    endpoint,
    port,
    call,
    async compact() {
      const { header } = (await call("/v3/kv/range", { key: "AA==" })) as { header: { revision: string } };
      await call("/v3/kv/compaction", { revision: header.revision, physical: true });
    },
    stop,
    start,
    async startEmpty() {
      await stop();
      generation += 1;
      await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(directory, { recursive: true });
    },
  };
}

const isHealthy = (endpoint: string): Promise<boolean> =>
  fetch(`${endpoint}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

async function isServing(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
