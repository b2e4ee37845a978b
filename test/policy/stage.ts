/** A node with policies from a directory: the real daemon, manifests that are replaced as a whole, pods that probe. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, run } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import { type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { writeManifests } from "../support/manifests.ts";
import { makePeers, type Peers } from "./peers.ts";

export interface Stage extends AsyncDisposable {
  readonly live: LiveNode;
  readonly peers: Peers;
  /** Puts manifests there, whatever becomes of them. */
  write(items: readonly unknown[]): void;
  /** Puts manifests there, and waits until the kernel has what they say. */
  show(...items: readonly unknown[]): Promise<void>;
  /** Attaches a namespace as the pod of its name; returns its addresses. @throws Error with what the plugin said */
  add(
    id: string,
    namespace: string,
    asked?: { readonly ip?: string; readonly name?: string; readonly config?: object },
  ): Promise<string[]>;
  /** What selvedgectl says, as JSON. @throws Error with what it complains of */
  ctl(...words: readonly string[]): Promise<Record<string, unknown>>;
}

/** `policies` and `config` are laid over the daemon's configuration. */
export async function makeStage(
  name: string,
  { policies = {}, config = {} }: { readonly policies?: JsonObject; readonly config?: JsonObject } = {},
): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "policies-"));
  const manifests = join(directory, "manifests");
  const write = (items: readonly unknown[]): void => writeManifests(manifests, "all", items);
  mkdirSync(manifests);
  write([]);
  const live = await makeLiveNode({
    name,
    config: { ipam: { coolDownSeconds: 0 }, policies: { directory: manifests, ...policies }, ...config },
  });
  const peers = makePeers();
  const changes = () => live.daemon.log().split('"event":"policies-changed"').length;
  return {
    live,
    peers,
    write,
    async show(...items) {
      const before = changes();
      // What is the same as before is no change, and no line in the log.
      const shown = { apiVersion: "v1", kind: "Namespace", metadata: { name: `shown-${before}` } };
      write([...items, shown]);
      await eventually("the daemon has applied them", async () => changes() > before || undefined);
    },
    async add(id, namespace, { ip, name: pod = id, config: over = {} } = {}) {
      const asked = ip === undefined ? {} : { runtimeConfig: { ips: [ip] }, capabilities: { ips: true } };
      const { exit, stdout } = await live.ask("ADD", id, {
        config: { ...asked, ...over },
        variables: { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${pod}` },
      });
      if (exit !== 0) throw new Error(stdout);
      const { ips } = JSON.parse(stdout) as { ips: { address: string }[] };
      return ips.map(({ address }) => address.split("/")[0] ?? "");
    },
    async ctl(...words) {
      const program = [process.execPath, join(import.meta.dirname, "../../cmd/ctl.ts"), ...words, "--json"];
      const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
      const { stdout, stderr } = await run(program, { environment: { ...environment, ...live.daemon.environment } });
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    async [Symbol.asyncDispose]() {
      await peers[Symbol.asyncDispose]();
      await live[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
