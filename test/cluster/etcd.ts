/** An etcd of one member on the router, which every node reaches. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, inside, must, start, stop } from "../../conformance/program.ts";
import { type Family, ROUTER, routerOn } from "./place.ts";

export interface Etcd extends AsyncDisposable {
  /** As the nodes are configured with it. */
  readonly endpoint: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** etcdctl; returns what it prints. */
  ctl(...argv: readonly string[]): Promise<string>;
}

export async function startEtcd(family: Family): Promise<Etcd> {
  const directory = mkdtempSync(join(tmpdir(), "cluster-etcd-"));
  const host = routerOn(1, family);
  const endpoint = `http://${family === 6 ? `[${host}]` : host}:2379`;
  const peer = "http://127.0.0.1:2380";
  let child: ChildProcess | undefined;
  const ctl = (...argv: readonly string[]) =>
    must(inside(ROUTER, ["etcdctl", `--endpoints=${endpoint}`, ...argv]), {
      environment: { ETCDCTL_API: "3", PATH: process.env.PATH ?? "" },
    });
  const begin = async () => {
    child = start(
      inside(ROUTER, [
        "etcd",
        "--name=one",
        `--data-dir=${directory}`,
        `--listen-client-urls=${endpoint}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=one=${peer}`,
        "--unsafe-no-fsync",
        "--log-level=error",
      ]),
    );
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    await eventually("etcd answers", async () => ((await ctl("get", "x")) === "" ? true : undefined), 30_000);
  };
  const halt = async () => child && stop(child);
  await begin();
  return {
    endpoint,
    start: begin,
    stop: async () => void (await halt()),
    ctl,
    async [Symbol.asyncDispose]() {
      await halt();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
