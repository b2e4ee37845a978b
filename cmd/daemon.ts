/** `selvedged`, the node daemon: reads its configuration, names the real edges, runs until it is told to stop. */
import { readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { queue } from "#lib/api/queue.ts";
import { type Config, parseConfig } from "#lib/config/config.ts";
import { type EdgeRouter, SPEAKER_DIRECTORY, SPEAKER_PROGRAMS } from "#lib/config/edge.ts";
import type { Ports } from "#lib/daemon/core.ts";
import { startDaemon } from "#lib/daemon/daemon.ts";
import { logWriter } from "#lib/daemon/log-writer.ts";
import { execDelegate } from "#lib/delegate/exec.ts";
import { reaches } from "#lib/echo/tcp.ts";
import { udpEcho } from "#lib/echo/udp.ts";
import { askWhole } from "#lib/echo/whole.ts";
import { isFailure } from "#lib/errors.ts";
import { frr } from "#lib/frr/frr.ts";
import { type ReadAccess, serviceAccount } from "#lib/k8s/api/access.ts";
import { apiServer } from "#lib/k8s/api/api-server.ts";
import { kubeconfig } from "#lib/k8s/api/kubeconfig.ts";
import { nodeObject } from "#lib/k8s/api/node-object.ts";
import { secrets } from "#lib/k8s/api/secret.ts";
import { manifestDirectory } from "#lib/k8s/directory.ts";
import { linux } from "#lib/kernel/linux.ts";
import { linuxRouters } from "#lib/kernel/linux-routers.ts";
import { keyFiles } from "#lib/kernel/wireguard/key.ts";
import { etcd } from "#lib/store/etcd/etcd.ts";
import { kubernetes } from "#lib/store/kubernetes/kubernetes.ts";
import type { Shared } from "#lib/store/shared.ts";
import { sqlite } from "#lib/store/sqlite.ts";
import { vyos } from "#lib/vyos/http.ts";
import { type KubernetesSecret, type SecretSource, secretFrom } from "#lib/vyos/secret.ts";
import { collectGarbage, giveBackProgram, keepLittle } from "#native/memory.ts";
import { peerCredentials } from "#native/socket.ts";

declare const SELVEDGE_VERSION: string | undefined;
const VERSION = typeof SELVEDGE_VERSION === "string" ? SELVEDGE_VERSION : "development";
/** To API servers. */
const USER_AGENT = `selvedged/${VERSION}`;

const HELP = `selvedged: the node daemon of Selvedge.

  selvedged [--config FILE]   run; without a file the defaults hold
  selvedged --check-config FILE
                              say what is wrong with a configuration, and end
  selvedged --help, --version

It runs in the foreground as root, logs JSON lines to standard error, and stops on SIGTERM or SIGINT when what runs is
finished. Pods keep their network while it is away.
`;

/** Only to end what an earlier configuration has started. */
const NO_SPEAKER = { programs: SPEAKER_PROGRAMS, directory: SPEAKER_DIRECTORY, port: 0 };
/** How long after its end what is left of the daemon may take, ms. */
const EXIT_LIMIT_MS = 10_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: "string" },
      "check-config": { type: "string" },
      help: { type: "boolean", short: "h" },
      version: { type: "boolean" },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  if (values.version) return void process.stdout.write(`selvedged ${VERSION}\n`);
  const file = values["check-config"] ?? values.config;
  const text = file === undefined ? "" : readFileSync(file, "utf8");
  const config = parseConfig(text, file);
  if (values["check-config"] !== undefined) return void process.stdout.write(`${file}: no mistakes\n`);
  await run(named(config), text, file ?? "built-in defaults");
}

/** What Kubernetes calls the node need not be its host name, and is what the other nodes are to call it, too. */
const NODE_NAME = process.env.SELVEDGE_NODE || hostname();

const named = ({ cluster, ...config }: Config): Config =>
  cluster === undefined ? config : { ...config, cluster: { ...cluster, node: { name: NODE_NAME, ...cluster.node } } };

async function run(config: Config, configText: string, configName: string): Promise<void> {
  keepLittle();
  const objects = objectsOf(config);
  const log = logWriter(config.log.level);
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
  const storeName = `${config.stateDir}/state.db`;
  log({
    event: "starting",
    version: VERSION,
    pid: process.pid,
    config: configName,
    socket: config.socket,
    store: storeName,
  });
  await using store = await sqlite(storeName);
  await using shared = sharedOf(config);
  const onStep = killAt(process.env.SELVEDGE_KILL_AT);
  const keys = join(config.stateDir, "wireguard");
  const program = config.cluster?.wireguard.program;
  await using kernel = linux({
    onPart: onStep,
    wireguard: {
      keys,
      ...(program === undefined ? {} : { userspace: { command: [program], sockets: "/var/run/wireguard" } }),
    },
  });
  const secretsFor = secretsOf(config);
  const daemon = await startDaemon(
    {
      kernel,
      routers: linuxRouters(config.routers.dir),
      store,
      ...(shared && { shared }),
      ...objects,
      delegate: execDelegate((plugin, text) => log({ event: "delegate-stderr", plugin, text })),
      queue: queue(config.queueDirs),
      echo: udpEcho,
      askWhole,
      keyFiles: keyFiles(keys),
      openRouter: (router) => {
        const { name, url, key, trust, commitSeconds } = router;
        const secretOf = secretsFor(router);
        return {
          vyos: vyos({ name, url, trust, commitMs: commitSeconds * 1_000, key: (isDenied) => secretOf(key, isDenied) }),
          secretFrom: secretOf,
          reaches,
        };
      },
      speaker: frr({
        ...(config.edge?.speaker ?? NO_SPEAKER),
        lookMs: (config.edge?.driftSeconds ?? 0) * 1_000,
        nowMs: Date.now,
      }),
      log,
      nowMs: Date.now,
      clockUs: () => performance.now() * 1_000,
    },
    {
      config,
      configText,
      version: VERSION,
      storeName,
      ownNetnsInode: statSync("/proc/self/ns/net").ino,
      credentials: peerCredentials,
      onStep,
      onCaughtUp() {
        // Without an API server little was read, and 40 ms more of a start would be for nothing.
        if (objects !== undefined) collectGarbage();
        giveBackProgram();
      },
    },
  );
  const { signal, beganMs } = await Promise.race([signalled(), daemon.failed]);
  log({ event: "stopping", signal, running: daemon.running });
  await daemon.stop();
  log({ event: "stopped", tookMs: Date.now() - beganMs });
  endSoon();
}

/** Where the nodes meet. @throws SelvedgeError config-invalid */
function sharedOf({ cluster, kubernetes: api }: Config): Shared | undefined {
  if (cluster === undefined) return undefined;
  if (cluster.store.etcd !== undefined) return etcd(cluster.store.etcd);
  const { kubeconfig: own, ...rest } = cluster.store.kubernetes;
  const file = own ?? api?.kubeconfig;
  const setting = "cluster.store.kubernetes.kubeconfig";
  return kubernetes({
    ...rest,
    access: file === undefined ? serviceAccount(process.env, { setting }) : kubeconfig(file),
    userAgent: USER_AGENT,
    holder: cluster.node.name ?? NODE_NAME,
  });
}

type SecretOf = (source: SecretSource, isWrong?: boolean) => Promise<string>;

/** Where a router's secrets are read; an object's must be for the host of its URL. @throws SelvedgeError config-invalid */
function secretsOf({ kubernetes }: Config): (router: EdgeRouter) => SecretOf {
  const read = kubernetes && secrets({ access: accessOf(kubernetes), userAgent: USER_AGENT, nowMs: Date.now });
  return ({ url, isObject }) => {
    const host = isObject ? new URL(url).host : undefined;
    const ofKubernetes = read && ((of: KubernetesSecret, isWrong: boolean) => read({ ...of, host }, isWrong));
    const places = { environment: process.env, ...(ofKubernetes && { ofKubernetes }) };
    return (source, isWrong) => secretFrom(source, places, isWrong);
  };
}

const accessOf = ({ kubeconfig: file }: NonNullable<Config["kubernetes"]>): ReadAccess =>
  file === undefined ? serviceAccount(process.env) : kubeconfig(file);

type OfKubernetes = Pick<Ports, "objects" | "nodeObject">;

/**
 * Where policies, the pods that they speak of, and definitions of networks are told of, and who hears of the node.
 * @throws SelvedgeError config-invalid
 */
function objectsOf({ kubernetes, policies, attachmentDefinitions: definitions }: Config): OfKubernetes {
  if (policies?.directory !== undefined) return { objects: manifestDirectory(policies.directory) };
  if (kubernetes === undefined) return {};
  const access = accessOf(kubernetes);
  const { resources: configured } = kubernetes;
  return {
    objects: apiServer({ access, userAgent: USER_AGENT, random: Math.random, definitions, configured }),
    nodeObject: nodeObject({ access, userAgent: USER_AGENT, name: NODE_NAME }),
  };
}

/** The process ends when nothing is left to do; what does not stop on its own is ended by force. */
const endSoon = (): void => void setTimeout(() => process.exit(), EXIT_LIMIT_MS).unref();

/** A second signal ends the process at once. */
function signalled(): Promise<{ signal: string; beganMs: number }> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const)
      process.once(name, () => resolve({ signal: name, beganMs: Date.now() }));
  });
}

/**
 * For fault tests: `SELVEDGE_KILL_AT=intent-stored:3` ends the process, as a power cut would, when that step (lib/daemon/trace.ts)
 * or part of the kernel's work (lib/kernel/linux/add.ts) ends for the third time after the first request.
 */
function killAt(text: string | undefined): (step: string) => void {
  if (text === undefined || text === "") return () => {};
  const [wanted, count = "1"] = text.split(":");
  let left = Number(count);
  let asked = false;
  return (step) => {
    asked ||= step === "queued";
    if (asked && step === wanted && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}

main().catch((error: unknown) => {
  const text = isFailure(error)
    ? [error.message, error.hint].filter(Boolean).join("\n")
    : String((error as Error).stack);
  process.stderr.write(`selvedged: ${text}\n`);
  process.exitCode = 1;
  endSoon();
});
