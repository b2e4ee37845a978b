/** A node with policies from a directory of manifests: the built daemon, and pods that the plugin attaches. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { address, type Mac, mac } from "#lib/address.ts";
import { attach, ipv4Of } from "../attach.ts";
import { type Daemon, type DaemonEvent, startDaemon } from "../daemon.ts";
import { DAEMON } from "../subjects.ts";
import { ip } from "../throughput/world.ts";
import { makeSilent, type Pair } from "./pair.ts";

export interface Ours extends AsyncDisposable {
  readonly pair: Pair;
  /** Puts the objects into a file of that name, and waits until they are in force. */
  show(name: string, objects: readonly object[]): Promise<Change>;
  /** Attaches so many pods more, `pod-0` and on. */
  attach(count: number): void;
}

export interface Change {
  /** In the daemon: from having read it until the kernel has it, ms. */
  readonly inDaemon: number;
  /** From the file's being there, ms; the log tells whole ones. */
  readonly whole: number;
}

const CHANGE_MS = 60_000;

/** Namespaces go with the node. @param dist of the built programs @param state a directory for everything that they keep */
export async function ours(dist: string, state: string): Promise<Ours> {
  await using stack = new AsyncDisposableStack();
  const manifests = join(state, "manifests");
  mkdirSync(manifests, { recursive: true });
  const settings = { ...DAEMON, policies: { directory: manifests } };
  const daemon = stack.use(await startDaemon(join(dist, "selvedged"), join(state, "daemon"), { settings }));
  const pod = (name: string) => {
    ip("netns add", name);
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=${name}`;
    return attach(name, { dist, socket: daemon.socket, args });
  };
  const [client, server] = [pod("client"), pod("server")];
  makeSilent("server");
  const inside = (of: typeof client): Mac => mac(of.interfaces.find(({ sandbox = "" }) => sandbox !== "")?.mac);
  const outside = (of: typeof client): Mac => mac(of.interfaces.find(({ sandbox = "" }) => sandbox === "")?.mac);
  const kept = stack.move();
  return {
    pair: {
      client: "client",
      server: "server",
      from: { address: address(ipv4Of(client)), mac: inside(client) },
      to: { address: address(ipv4Of(server)), mac: outside(client) },
    },
    async show(name, items) {
      const before = changes(daemon).length;
      const file = join(state, `${name}.json`);
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      const atMs = Date.now();
      renameSync(file, join(manifests, `${name}.json`));
      const change = await next(daemon, before);
      return { inDaemon: change.tookMs ?? 0, whole: Date.parse(change.time) - atMs };
    },
    attach(count) {
      for (let n = 0; n < count; n++) pod(`pod-${n}`);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const changes = (daemon: Daemon): DaemonEvent[] => daemon.events().filter(({ event }) => event === "policies-changed");

async function next(daemon: Daemon, before: number): Promise<DaemonEvent> {
  for (const giveUpMs = performance.now() + CHANGE_MS; performance.now() < giveUpMs; await sleep(5)) {
    const found = changes(daemon)[before];
    if (found !== undefined) return found;
  }
  throw new Error(`policies did not change within ${CHANGE_MS} ms`);
}
