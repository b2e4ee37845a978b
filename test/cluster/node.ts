/** A node of the rig: the real daemon on its own state, and pods that the real plugin attaches. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WIREGUARD_LINK } from "#lib/datapath/ways/names.ts";
import { type Daemon, startDaemon } from "../../conformance/daemon.ts";
import { makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { inside, must, run } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { invocation, PLUGIN } from "../support/invocation.ts";
import { type Family, type Name, namespaceOf } from "./place.ts";

const TOP = join(import.meta.dirname, "..", "..");

export interface Pod {
  /** Name of its namespace, and its container id. */
  readonly id: string;
  readonly node: Name;
  readonly address: Readonly<Record<Family, string>>;
  /** Of its interface, bytes. */
  readonly mtu: number;
}

export interface ClusterNode extends AsyncDisposable {
  readonly name: Name;
  readonly namespace: string;
  readonly daemon: Daemon;
  /** The daemon's durable state. */
  readonly store: string;
  /** Where routers of tenants are mounted. */
  readonly routers: string;
  /** @param config laid over the plugin's configuration @throws Error with what the plugin said */
  add(id: string, config?: JsonObject): Promise<Pod>;
  del(id: string): Promise<void>;
  /** Runs a program on the node. @throws Error when it fails */
  on(...argv: readonly string[]): Promise<string>;
  /** selvedgectl with `--json`. @throws Error when it fails */
  ctl(...argv: readonly string[]): Promise<unknown>;
}

/**
 * wireguard-go and FRR have one directory for their sockets on a machine: each node sees its own there, the same one after a
 * restart of the daemon. What else it mounts is seen by everybody, as on a node; so are namespaces of pods that are made later,
 * as `ip netns` shares /run/netns.
 */
const OWN_SOCKETS =
  'for each in wireguard frr; do mkdir -p "$0/$each" /run/$each && mount --bind "$0/$each" /run/$each; done && exec "$@"';
const withOwnSockets = (directory: string, argv: readonly string[]): string[] => [
  ...["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", OWN_SOCKETS, directory],
  ...argv,
];

export async function startNode(name: Name, config: JsonObject): Promise<ClusterNode> {
  const namespace = namespaceOf(name);
  const directory = mkdtempSync(join(tmpdir(), `cluster-${name}-`));
  const routers = join(directory, "tenants");
  mkdirSync(routers);
  await must(["mount", "--bind", routers, routers]);
  await must(["mount", "--make-shared", routers]);
  const enter = (argv: readonly string[]) => inside(namespace, withOwnSockets(directory, argv));
  const daemon = await startDaemon({ enter, directory, config: { routers: { dir: routers }, ...config } });
  const ids = new Set<string>();

  const plugin = async (verb: "ADD" | "DEL", id: string, more: JsonObject): Promise<string> => {
    const called = invocation(daemon, verb, id, { config: more });
    const { exit, stdout, stderr } = await run(inside(namespace, [PLUGIN]), called);
    if (exit !== 0) throw new Error(`${verb} ${id} on ${name}: ${stdout}${stderr}`);
    return stdout;
  };

  return {
    name,
    namespace,
    daemon,
    store: join(directory, "state", "state.db"),
    routers,
    async add(id, more = {}) {
      if (!ids.has(id)) await makeNamespace(id);
      ids.add(id);
      const result = JSON.parse(await plugin("ADD", id, more)) as {
        ips: { address: string }[];
        interfaces: { mtu?: number; sandbox?: string }[];
      };
      const addresses = result.ips.map(({ address }) => address.replace(/\/\d+$/, ""));
      const of = (family: Family) => addresses.find((each) => each.includes(":") === (family === 6)) ?? "";
      const mtu = result.interfaces.find(({ sandbox }) => sandbox)?.mtu ?? 0;
      return { id, node: name, address: { 4: of(4), 6: of(6) }, mtu };
    },
    async del(id) {
      await plugin("DEL", id, {});
      await removeNamespace(id);
      ids.delete(id);
    },
    on: (...argv) => must(inside(namespace, argv)),
    async ctl(...argv) {
      const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
      const program = [process.execPath, join(TOP, "cmd", "ctl.ts"), "--json", ...argv];
      return JSON.parse(
        await must(inside(namespace, program), { environment: { ...environment, ...daemon.environment } }),
      );
    },
    async [Symbol.asyncDispose]() {
      await daemon.kill();
      // wireguard-go outlives the daemon, and ends with its link; mostly there is none.
      await run(["ip", "-n", namespace, "link", "del", WIREGUARD_LINK]);
      endFrr(join(directory, "frr", "selvedge"));
      for (const id of ids) await removeNamespace(id);
      await must(["umount", "--recursive", routers]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** FRR outlives the daemon, too. */
function endFrr(directory: string): void {
  for (const file of globSync("*.pid", { cwd: directory }))
    try {
      process.kill(Number(readFileSync(join(directory, file), "utf8")), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}
