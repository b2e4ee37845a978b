/** Policies in force: from the first packet on, for replies, on a bridge, without the daemon, and after others meddled. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, run, start, stop } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { makePeers, type Peers } from "./peers.ts";

const runs = needing(...LIVE, { program: "python3" });
const ROUNDS = 200;
const NEW = { id: "pf-new", ip: "10.66.0.77" };
const OLD = { id: "pf-old", ip: "10.66.0.78" };
const directory = mkdtempSync(join(tmpdir(), "policies-"));
const manifests = join(directory, "manifests");
let live: LiveNode;
let peers: Peers;

beforeAll(async () => {
  if (runs === test.skip) return;
  mkdirSync(manifests);
  write("all", []);
  live = await makeLiveNode({
    name: "pf",
    config: { policies: { directory: manifests, logDenied: true }, ipam: { coolDownSeconds: 0 } },
  });
  peers = makePeers();
}, 60_000);
afterEach(async () => {
  if (live === undefined) return;
  for (const { id } of [NEW, OLD]) {
    await peers.end(id);
    await live.ask("DEL", id);
  }
  write("all", []);
}, 30_000);
afterAll(async () => {
  await peers?.[Symbol.asyncDispose]();
  await live?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

const changes = () => live.daemon.log().split('"event":"policies-changed"').length;

function write(name: string, items: readonly object[]): void {
  writeFileSync(join(directory, name), JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  renameSync(join(directory, name), join(manifests, `${name}.json`));
}

async function show(...items: readonly object[]): Promise<void> {
  const before = changes();
  write("all", items);
  await eventually("the daemon has applied them", async () => changes() > before || undefined);
}

const policy = (namespace: string, spec: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace, name: "only" },
  spec: { podSelector: {}, ...spec },
});
const MUTE = policy("mute", { policyTypes: ["Ingress", "Egress"] });

/** Attaches it as a pod of that namespace, by that type. */
async function add({ id, ip }: typeof NEW, namespace: string, config: object = {}): Promise<void> {
  const ran = await live.ask("ADD", id, {
    config: { runtimeConfig: { ips: [`${ip}/16`] }, capabilities: { ips: true }, ...config },
    variables: { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${id}` },
  });
  if (ran.exit !== 0) throw new Error(ran.stdout);
}

/** Sends to the other end for as long as it lives; the function tells how many packets came from there since last asked. */
async function spam(namespace: string, to: string) {
  const child = start(
    inside(namespace, ["python3", join(import.meta.dirname, "spam.py"), to]),
    process.env as Record<string, string>,
  );
  if (child.stdout === null) throw new Error("it has no output");
  const lines = createInterface(child.stdout);
  const came = async (): Promise<number> => {
    const line = once(lines, "line");
    child.stdin?.write("\n");
    return Number((await line)[0]);
  };
  await came();
  return { came, [Symbol.asyncDispose]: () => stop(child, 2_000) };
}

const denied = async (): Promise<number> =>
  Number(/packets (\d+)/.exec(await live.on("nft", "list", "chain", "inet", "selvedge", "policy_denied"))?.[1]);

runs(
  `no packet of a new pod passes, and none reaches it, ${ROUNDS} times over`,
  async () => {
    await live.pods(NEW.id, OLD.id);
    await show(MUTE);
    await add(OLD, "open");
    await using out = await spam(NEW.id, OLD.ip);
    await using back = await spam(OLD.id, NEW.ip);
    for (let round = 0; round < ROUNDS; round++) {
      await add(NEW, "mute");
      await sleep(5);
      expect(await live.ask("DEL", NEW.id)).toMatchObject({ exit: 0 });
    }
    expect([await out.came(), await back.came()]).toEqual([0, 0]);
    // They did try, and without the policy they pass.
    expect(await denied()).toBeGreaterThan(ROUNDS);
    await show();
    await add(NEW, "mute");
    await eventually("packets pass", async () =>
      (await out.came()) > 0 && (await back.came()) > 0 ? true : undefined,
    );
  },
  180_000,
);

const WEB = policy("mute", { ingress: [{ ports: [{ port: 80 }] }], policyTypes: ["Ingress", "Egress"] });

/** What WEB leaves: one port in, with its replies; nothing out; the node itself. */
async function holdsWeb(): Promise<void> {
  const [fresh, old] = [peers.of(NEW.id), peers.of(OLD.id)];
  const seen = await Promise.all([
    old.reaches("tcp", NEW.ip, 80),
    old.reaches("tcp", NEW.ip, 81),
    old.reaches("udp", NEW.ip, 80),
    fresh.reaches("tcp", OLD.ip, 80),
    fresh.reaches("udp", OLD.ip, 80),
  ]);
  expect(seen).toEqual([true, false, false, false, false]);
  await live.on("ping", "-c1", "-W1", NEW.ip);
}

runs.each([
  ["ptp", {}],
  ["bridge", { attachment: "bridge", isGateway: true }],
])(
  "on %s: replies pass, the node reaches the pod, also without the daemon, and what others take away comes back",
  async (_type, config) => {
    await live.pods(NEW.id, OLD.id);
    await live.on("/bin/sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do echo 0 >$f; done");
    await show(WEB);
    await add(OLD, "open", config);
    await add(NEW, "mute", config);
    await peers.serve(OLD.id);
    await peers.serve(NEW.id);
    await holdsWeb();
    expect(await live.ask("CHECK", NEW.id, { config })).toMatchObject({ exit: 0 });

    await live.daemon.kill();
    await holdsWeb();
    await live.daemon.start();
    await holdsWeb();

    await live.on("nft", "flush", "set", "inet", "selvedge", "confined_in4");
    const { exit, stdout } = await live.ask("CHECK", NEW.id, { config });
    if (exit !== 0) expect(stdout).toContain("confined_in4");
    await eventually("it is back", async () =>
      (await peers.of(OLD.id).reaches("tcp", NEW.ip, 81)) ? undefined : true,
    );
    await live.on("nft", "delete", "table", "inet", "selvedge");
    await eventually("it is back", async () =>
      (await peers.of(OLD.id).reaches("tcp", NEW.ip, 81)) ? undefined : true,
    );
    await holdsWeb();
  },
  120_000,
);

runs(
  "what cannot be read is told of: what stood stands, and a daemon that has never read it starts no pod",
  async () => {
    await live.pods(NEW.id, OLD.id);
    await show(WEB);
    await add(OLD, "open");
    await add(NEW, "mute");
    await peers.serve(OLD.id);
    await peers.serve(NEW.id);
    write("all", [policy("mute", { ingres: [] })]);
    await eventually(
      "it is told",
      async () => live.daemon.log().includes("there is no such field; did you mean ingress?") || undefined,
    );
    await holdsWeb();
    await live.daemon.kill();
    await live.daemon.start();
    await holdsWeb();
    expect(await live.ask("DEL", OLD.id)).toMatchObject({ exit: 0 });
    await expect(add(OLD, "open")).rejects.toThrow("policies are not known yet");
    await show(WEB);
    await add(OLD, "open");
  },
  120_000,
);

/** What selvedgectl says, as JSON. */
async function ctl(...words: string[]): Promise<Record<string, unknown>> {
  const program = [process.execPath, join(import.meta.dirname, "../../cmd/ctl.ts"), ...words, "--json"];
  const { NODE_OPTIONS: _, ...environment } = process.env as Record<string, string>;
  const { stdout, stderr } = await run(program, { environment: { ...environment, ...live.daemon.environment } });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

runs(
  "selvedgectl says which rule decides, what was decided, and what it cannot hold",
  async () => {
    await live.pods(NEW.id, OLD.id);
    await show(WEB);
    await add(OLD, "open");
    await add(NEW, "mute");
    await peers.serve(OLD.id);
    await peers.serve(NEW.id);
    await holdsWeb();
    const [fresh, old] = [`mute/${NEW.id}`, `open/${OLD.id}`];
    expect(await ctl("policy", "trace", old, fresh, "80")).toMatchObject({
      verdict: "accept",
      sides: [
        { direction: "egress", policy: "", because: "no policy speaks of it" },
        { direction: "ingress", policy: "NetworkPolicy mute/only", rule: "ingress[0]" },
      ],
    });
    expect(await ctl("policy", "trace", NEW.ip, OLD.ip, "80")).toMatchObject({
      verdict: "deny",
      sides: [
        { direction: "egress", policy: "NetworkPolicy mute/only", rule: "", verdict: "deny" },
        { direction: "ingress", verdict: "accept" },
      ],
    });
    const { flows } = (await ctl("policy", "verdicts")) as { flows: Record<string, unknown>[] };
    expect(flows).toContainEqual(
      expect.objectContaining({ from: old, to: fresh, protocol: "tcp", port: 80, verdict: "accept" }),
    );
    for (const port of [81, 80])
      expect(flows).toContainEqual(
        expect.objectContaining({ from: old, to: fresh, protocol: port === 81 ? "tcp" : "udp", port, verdict: "deny" }),
      );
    const line = `"from":"${old}","to":"${fresh}","protocol":"tcp","port":81`;
    await eventually("it is in the log", async () => live.daemon.log().includes(line) || undefined);
    expect(await ctl("policy", "list")).toMatchObject({
      policies: [{ name: "NetworkPolicy mute/only", tier: "network", pods: [fresh] }],
      mistakes: [],
    });
  },
  60_000,
);
