/** A real etcd for a test, of one member or more, on loopback addresses of the test's own network namespace. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/free-port.ts";

export const ETCD = "/usr/bin/etcd";

export interface EtcdMember {
  /** Clients' endpoint: `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  readonly port: number;
  /** One call through etcd's JSON gateway (not with TLS): `/v3/kv/range`. Texts of the API's `bytes` are base64. */
  call(path: string, body: object): Promise<Record<string, unknown>>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
}

export interface EtcdServer extends EtcdMember, AsyncDisposable {
  compact(): Promise<void>;
  /** Ends it and starts one without its data at the same endpoint. */
  startEmpty(): Promise<void>;
}

export interface TlsServer {
  readonly certificate: string;
  readonly key: string;
  /** Of clients' certificates. */
  readonly ca: string;
}

interface Seat {
  readonly name: string;
  readonly port: number;
  readonly peerPort: number;
}

const seat = async (name: string): Promise<Seat> => ({ name, port: await freePort(), peerPort: await freePort() });
const peerUrl = ({ peerPort }: Seat): string => `http://127.0.0.1:${peerPort}`;

interface Place {
  /** Holds the data of each member and each cluster that there is one after the other. */
  readonly directory: string;
  /** Which cluster; asked at each start. */
  readonly token: () => string;
  readonly tls?: TlsServer | undefined;
}

function member(own: Seat, all: readonly Seat[], { directory, token, tls }: Place): EtcdMember {
  const { name, port } = own;
  const endpoint = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  return {
    endpoint,
    port,
    async call(path, body) {
      const response = await fetch(`${endpoint}${path}`, { method: "POST", body: JSON.stringify(body) });
      return (await response.json()) as Record<string, unknown>;
    },
    async start() {
      const secure = tls && [
        `--cert-file=${tls.certificate}`,
        `--key-file=${tls.key}`,
        `--trusted-ca-file=${tls.ca}`,
        "--client-cert-auth",
      ];
      const args = [
        `--name=${name}`,
        `--data-dir=${join(directory, `${name}-${token()}`)}`,
        `--listen-client-urls=${endpoint}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=${peerUrl(own)}`,
        `--initial-advertise-peer-urls=${peerUrl(own)}`,
        `--initial-cluster=${all.map((each) => `${each.name}=${peerUrl(each)}`).join(",")}`,
        `--initial-cluster-token=${token()}`,
        "--unsafe-no-fsync",
        "--log-level=error",
        ...(secure ?? []),
      ];
      // It ends with the test, also when that one is killed.
      const started = spawn("setpriv", ["--pdeathsig=KILL", ETCD, ...args], { stdio: "ignore" });
      child = started;
      const endsMs = performance.now() + 20_000;
      while (!(await (tls === undefined ? isHealthy(endpoint) : isListening(port)))) {
        if (started.exitCode !== null) throw new Error(`etcd has ended with ${started.exitCode}`);
        if (performance.now() > endsMs) throw new Error("etcd does not serve");
        await sleep(50);
      }
    },
    async stop(signal = "SIGKILL") {
      const ended = child;
      child = undefined;
      if (ended === undefined || ended.exitCode !== null) return;
      ended.kill(signal);
      await once(ended, "exit");
    },
  };
}

export async function etcdServer(tls?: TlsServer): Promise<EtcdServer> {
  const directory = await mkdtemp(join(tmpdir(), "selvedge-etcd-"));
  let generation = 0;
  const own = await seat("one");
  const only = member(own, [own], { directory, token: () => `${generation}`, tls });
  await only.start();
  return {
    ...only,
    async compact() {
      const { header } = (await only.call("/v3/kv/range", { key: "AA==" })) as { header: { revision: string } };
      await only.call("/v3/kv/compaction", { revision: header.revision, physical: true });
    },
    async startEmpty() {
      await only.stop();
      generation += 1;
      await only.start();
    },
    async [Symbol.asyncDispose]() {
      await only.stop();
      await rm(directory, { recursive: true });
    },
  };
}

export interface EtcdCluster extends AsyncDisposable {
  readonly members: readonly EtcdMember[];
  /** Which of them leads. */
  leader(): Promise<EtcdMember>;
}

export async function etcdCluster(names: readonly string[]): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), "selvedge-etcd-"));
  const seats = await Promise.all(names.map(seat));
  const all = seats.map((own) => member(own, seats, { directory, token: () => "one" }));
  await Promise.all(all.map(({ start }) => start()));
  return {
    members: all,
    async leader() {
      for (const each of all) {
        const status = await each.call("/v3/maintenance/status", {}).catch(() => undefined);
        const { leader, header } = (status ?? {}) as { leader?: string; header?: { member_id?: string } };
        if (leader !== undefined && leader === header?.member_id) return each;
      }
      throw new Error("no member leads");
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map(({ stop }) => stop()));
      await rm(directory, { recursive: true });
    },
  };
}

/** A member that has just started refuses all of version 3 until it knows the others' versions ("not capable"). */
async function isHealthy(endpoint: string): Promise<boolean> {
  const signal = AbortSignal.timeout(1_000);
  const ask = async () => {
    const health = await fetch(`${endpoint}/health`, { signal });
    const range = await fetch(`${endpoint}/v3/kv/range`, { method: "POST", body: '{"key":"AA=="}', signal });
    return health.ok && !(await range.text()).includes("not capable");
  };
  return await ask().catch(() => false);
}

async function isListening(port: number): Promise<boolean> {
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
