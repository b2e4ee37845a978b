/** A real etcd of one member for the run, and a cluster that there is on paper only written to it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Known } from "#lib/cluster/view.ts";
import { etcd } from "#lib/store/etcd/etcd.ts";
import type { Shared } from "#lib/store/shared.ts";

export interface Etcd extends AsyncDisposable {
  readonly endpoint: string;
}

const PORT = 2_379;
const ENDPOINT = `http://127.0.0.1:${PORT}`;
const PEER = "http://127.0.0.1:2380";
const START_MS = 20_000;
export const PREFIX = "/selvedge/v1/";

export const client = (endpoint: string): Shared =>
  etcd({ endpoints: [endpoint], prefix: PREFIX, livenessSeconds: 15 });

/** @param listen address where it hears, of this namespace @throws Error when it does not answer in time */
export async function startEtcd(directory: string, listen = "127.0.0.1"): Promise<Etcd> {
  const child = spawn(
    "etcd",
    [
      "--name=one",
      `--data-dir=${join(directory, "etcd")}`,
      `--listen-client-urls=http://${listen}:${PORT}`,
      `--advertise-client-urls=${ENDPOINT}`,
      `--listen-peer-urls=${PEER}`,
      `--initial-advertise-peer-urls=${PEER}`,
      `--initial-cluster=one=${PEER}`,
      // What is measured is traffic, not the disk.
      "--unsafe-no-fsync",
      "--log-level=error",
    ],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  await using shared = client(ENDPOINT);
  for (const giveUpMs = performance.now() + START_MS; ; await sleep(50)) {
    const answer = await shared.get("nobody").catch((error: Error) => error);
    if (!(answer instanceof Error)) break;
    if (performance.now() > giveUpMs || child.exitCode !== null) throw answer;
  }
  return {
    endpoint: ENDPOINT,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

const AT_ONCE = 64;

export async function putAll(shared: Shared, entries: readonly Known[]): Promise<void> {
  const left = entries.values();
  const work = async () => {
    for (const { key, value } of left) await shared.put(key, value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
