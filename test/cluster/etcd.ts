/** An etcd of one member on the router, which every node reaches. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, inside, must, start, stop } from "../../conformance/program.ts";
import { addressOf, type Family, type Name, ROUTER, routerOn } from "./place.ts";

export interface Etcd extends AsyncDisposable {
  /** As the nodes are configured with it. */
  readonly endpoint: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** etcdctl; returns what it prints. */
  ctl(...argv: readonly string[]): Promise<string>;
  /** Forgets every revision before the newest, and starts anew. */
  compact(): Promise<void>;
  /** What the node sends to etcd gets lost, or does no more. */
  cut(name: Name, isCut: boolean): Promise<void>;
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
    await eventually("etcd answers", async () => ((await ctl("get", "x")) === "" ? true : undefined));
  };
  const halt = async () => child && stop(child);
  await begin();
  return {
    endpoint,
    start: begin,
    stop: async () => void (await halt()),
    ctl,
    async compact() {
      const { header } = JSON.parse(await ctl("get", "x", "--write-out=json")) as { header: { revision: number } };
      await ctl("compaction", String(header.revision));
      await halt();
      await begin();
    },
    async cut(name, isCut) {
      const from = `${family === 4 ? "ip" : "ip6"} saddr ${addressOf(name, family)}`;
      const rules = isCut
        ? `table inet cut-${name} { chain in { type filter hook input priority 0; ${from} tcp dport 2379 drop; }; }`
        : `delete table inet cut-${name}`;
      await must(inside(ROUTER, ["nft", rules]));
    },
    async [Symbol.asyncDispose]() {
      await halt();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
