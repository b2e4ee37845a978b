/**
 * A node of its own with the real daemon and the built plugin, and a look at everything that attachments leave: in the
 * kernel by iproute2 and nft, on the disk by SQLite, in the queue by its files.
 */
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { makeNode, type Place } from "../../conformance/node.ts";
import { inside, must, type Ran, run, start } from "../../conformance/program.ts";
import { remains } from "../../conformance/remains.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { type Asked, invocation, PLUGIN, type Verb } from "./invocation.ts";

export interface LiveNode extends AsyncDisposable {
  readonly daemon: Daemon;
  readonly node: Place;
  readonly outside: Place;
  /** Of the daemon's socket, state and queue. */
  readonly directory: string;
  /** Makes pods' namespaces; their names are their container ids. */
  pods(...ids: readonly string[]): Promise<void>;
  /** Runs the plugin as a runtime would. */
  ask(verb: Verb, id: string, asked?: Asked): Promise<Ran>;
  /** Starts the plugin and hands the process out, its input given. */
  begin(verb: Verb, id: string, asked?: Asked): ChildProcess;
  /** Runs a program on the node. @throws Error when it fails */
  on(...argv: readonly string[]): Promise<string>;
  /** Runs a program in a pod. @throws Error when it fails */
  within(id: string, ...argv: readonly string[]): Promise<string>;
  /** What attachments have left, one line each: nothing on a node without any. Cool-downs do not count. */
  left(): Promise<string[]>;
  /** Rows of a table of the store. */
  rows(table: "attachment" | "lease" | "cool_down" | "replayed"): Record<string, unknown>[];
  /** Names of the queue's entries. */
  queued(): string[];
}

/** For `needing`. */
export const LIVE = ["root", { program: "nft" }, { program: "ip" }, { program: "ping" }, { file: PLUGIN }] as const;

export interface LiveNodeOptions {
  /** At most ten characters: it begins the names of namespaces. */
  readonly name: string;
  /** Laid over the daemon's configuration. */
  readonly config?: JsonObject;
  /** Argument list that starts another one with something around it, a cgroup for instance. */
  readonly around?: (argv: readonly string[]) => string[];
}

/** Both families, masquerade, spoof protection, a host port of its own and bandwidth: everything that can be left behind. */
export const everything = (hostPort: number): JsonObject => ({
  runtimeConfig: {
    portMappings: [{ hostPort, containerPort: 80, protocol: "tcp" }],
    bandwidth: { ingressRate: 100_000_000, ingressBurst: 8_000_000, egressRate: 100_000_000, egressBurst: 8_000_000 },
  },
});

export async function makeLiveNode({
  name,
  config = {},
  around = (argv) => [...argv],
}: LiveNodeOptions): Promise<LiveNode> {
  const directory = mkdtempSync(join(tmpdir(), "live-"));
  const { node, outside, ...place } = await makeNode(name);
  const ids = new Set<string>();
  const enter = (argv: readonly string[]) => around(inside(node.namespace, argv));
  const dispose = async () => {
    for (const id of ids) await removeNamespace(id);
    await place[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  };
  const daemon = await startDaemon({ enter, directory, config }).catch(async (error: unknown) => {
    await dispose();
    throw error;
  });
  const rows: LiveNode["rows"] = (table) => {
    // The daemon keeps the file to itself, so a copy is read; the write-ahead log goes with it.
    const copy = mkdtempSync(join(directory, "copy-"));
    cpSync(join(directory, "state"), copy, { recursive: true });
    const database = new DatabaseSync(join(copy, "state.db"));
    try {
      return database.prepare(`SELECT * FROM ${table}`).all();
    } finally {
      database.close();
      rmSync(copy, { recursive: true });
    }
  };
  const queued = () => readdirSync(join(directory, "queue")).toSorted();
  return {
    daemon,
    node,
    outside,
    directory,
    async pods(...names) {
      for (const id of names) {
        ids.add(id);
        await makeNamespace(id);
      }
    },
    ask: (verb, id, asked) => run(inside(node.namespace, [PLUGIN]), invocation(daemon, verb, id, asked)),
    begin(verb, id, asked) {
      const { environment, input } = invocation(daemon, verb, id, asked);
      const child = start(inside(node.namespace, [PLUGIN]), environment);
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
      return child;
    },
    on: (...argv) => must(inside(node.namespace, argv)),
    within: (id, ...argv) => must(inside(id, argv)),
    async left() {
      const key = (row: Record<string, unknown>) => `${row.container_id} ${row.ifname}`;
      return [
        ...(await remains(node.namespace)),
        ...rows("attachment").map((row) => `attachment ${key(row)} ${row.phase}`),
        ...rows("lease").map((row) => `lease ${row.address} of ${key(row)}`),
        ...rows("replayed").map((row) => `replayed ${row.name}`),
        ...queued().map((entry) => `queue ${entry}`),
      ];
    },
    rows,
    queued,
    async [Symbol.asyncDispose]() {
      await daemon.kill();
      await dispose();
    },
  };
}
