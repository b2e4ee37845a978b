/** Policies in force: from the first packet on, for replies, on a bridge, without the daemon, and after others meddled. */
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { eventually, inside, start, stop } from "../../conformance/program.ts";
import { LIVE, type LiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import type { Peers } from "./peers.ts";
import { makeStage, type Stage } from "./stage.ts";

const runs = needing(...LIVE, { program: "python3" });
const ROUNDS = 200;
const NEW = { id: "pf-new", ip: "10.66.0.77" };
const OLD = { id: "pf-old", ip: "10.66.0.78" };
let stage: Stage;
let live: LiveNode;
let peers: Peers;

beforeAll(async () => {
  if (runs === test.skip) return;
  stage = await makeStage("pf", { policies: { logDenied: true } });
  ({ live, peers } = stage);
});
afterEach(async () => {
  if (stage === undefined) return;
  for (const { id } of [NEW, OLD]) {
    await peers.end(id);
    await live.ask("DEL", id);
  }
  stage.write([]);
});
afterAll(async () => stage?.[Symbol.asyncDispose](), 60_000);

const policy = (namespace: string, spec: object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace, name: "only" },
  spec: { podSelector: {}, ...spec },
});
const MUTE = policy("mute", { policyTypes: ["Ingress", "Egress"] });

/** Attaches it as a pod of that namespace, by that type. */
const add = ({ id, ip }: typeof NEW, namespace: string, config: object = {}) =>
  stage.add(id, namespace, { ip: `${ip}/16`, config });

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
    await stage.show(MUTE);
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
    await stage.show();
    await add(NEW, "mute");
    await eventually("packets pass", async () =>
      (await out.came()) > 0 && (await back.came()) > 0 ? true : undefined,
    );
  },
  180_000,
);

const WEB = policy("mute", { ingress: [{ ports: [{ port: 80 }] }], policyTypes: ["Ingress", "Egress"] });

/** WEB is in force between a pod that it is about and one that it is not, both of which serve. */
async function putWeb(config: object = {}): Promise<void> {
  await live.pods(NEW.id, OLD.id);
  await stage.show(WEB);
  await add(OLD, "open", config);
  await add(NEW, "mute", config);
  await peers.serve(OLD.id);
  await peers.serve(NEW.id);
}

/** What WEB leaves: one port in, with its replies; nothing out; the node itself. */
async function holdsWeb(): Promise<void> {
  const [fresh, old] = [peers.of(NEW.id), peers.of(OLD.id)];
  const seen = await Promise.all([
    old.reaches("tcp", NEW.ip, 80, true),
    old.reaches("tcp", NEW.ip, 81),
    old.reaches("udp", NEW.ip, 80),
    fresh.reaches("tcp", OLD.ip, 80),
    fresh.reaches("udp", OLD.ip, 80),
  ]);
  expect(seen).toEqual([true, false, false, false, false]);
  await live.on("ping", "-c1", "-W9", NEW.ip);
}

runs.each([
  ["ptp", {}],
  ["bridge", { attachment: "bridge", isGateway: true }],
])("on %s a rule of ports holds for IPv6 as for IPv4: neighbours are found whatever it says", async (_type, config) => {
  const OUT = [{ to: [{ namespaceSelector: {} }], ports: [{ port: 80 }] }];
  await live.pods(NEW.id, OLD.id);
  await stage.show(
    policy("mute", { policyTypes: ["Ingress", "Egress"], egress: OUT, ingress: [{ ports: [{ port: 80 }] }] }),
  );
  const old = await add(OLD, "open", config);
  const fresh = await add(NEW, "mute", config);
  for (const { id } of [OLD, NEW]) await peers.serve(id);
  for (const family of [0, 1]) {
    const [to = "", from = ""] = [old[family], fresh[family]];
    const seen = await Promise.all([
      peers.of(NEW.id).reaches("tcp", to, 80, true),
      peers.of(NEW.id).reaches("tcp", to, 81),
      peers.of(OLD.id).reaches("tcp", from, 80, true),
      peers.of(OLD.id).reaches("tcp", from, 81),
    ]);
    expect([to, ...seen]).toEqual([to, true, false, true, false]);
    await expect(live.within(NEW.id, "ping", "-c1", "-W1", to)).rejects.toThrow();
  }
});

const isBack = () =>
  eventually("it is back", async () => ((await peers.of(OLD.id).reaches("tcp", NEW.ip, 81)) ? undefined : true));

runs.each([
  ["ptp", {}],
  ["bridge", { attachment: "bridge", isGateway: true }],
])(
  "on %s: replies pass, the node reaches the pod, also without the daemon, and what others take away comes back",
  async (_type, config) => {
    await live.on("/bin/sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-ip*tables; do echo 0 >$f; done");
    await putWeb(config);
    await holdsWeb();
    expect(await live.ask("CHECK", NEW.id, { config })).toMatchObject({ exit: 0 });

    await live.daemon.kill();
    await holdsWeb();
    await live.daemon.start();
    await holdsWeb();

    await live.on("nft", "flush", "set", "inet", "selvedge", "confined_in4");
    const { exit, stdout } = await live.ask("CHECK", NEW.id, { config });
    if (exit !== 0) expect(stdout).toContain("confined_in4");
    await isBack();
    await live.on("nft", "delete", "table", "inet", "selvedge");
    await isBack();
    await holdsWeb();
  },
);

runs("an element that is about nobody goes with the next full pass, and those of policies stay", async () => {
  const confined = () => live.on("nft", "list", "set", "inet", "selvedge", "confined_in4");
  await putWeb({});
  await live.on("nft", "add", "element", "inet", "selvedge", "confined_in4", "{ 192.0.2.77 }");
  await stage.ctl("reconcile");
  expect(await confined()).not.toContain("192.0.2.77");
  expect(await confined()).toContain(NEW.ip);
  await holdsWeb();
});

runs(
  "what cannot be read is told of: what stood stands, and a daemon that has never read it starts no pod",
  async () => {
    await putWeb();
    stage.write([policy("mute", { ingres: [] })]);
    await eventually(
      "it is told",
      async () => live.daemon.log().includes("there is no such field; did you mean ingress?") || undefined,
    );
    await holdsWeb();
    await live.daemon.kill();
    // Ready it is only when it has read them.
    const begun = live.daemon.start();
    await eventually(
      "it answers",
      async () => (await stage.ctl("status").catch(() => undefined))?.ready === false || undefined,
      60_000,
    );
    await holdsWeb();
    expect(await live.ask("DEL", OLD.id)).toMatchObject({ exit: 0 });
    await expect(add(OLD, "open")).rejects.toThrow("policies are not known yet");
    await stage.show(WEB);
    await begun;
    await add(OLD, "open");
  },
);

runs("selvedgectl says which rule decides, what was decided, and what it cannot hold", async () => {
  await putWeb();
  await holdsWeb();
  const [fresh, old] = [`mute/${NEW.id}`, `open/${OLD.id}`];
  expect(await stage.ctl("policy", "trace", old, fresh, "80")).toMatchObject({
    verdict: "accept",
    sides: [
      { direction: "egress", policy: "", because: "no policy speaks of it" },
      { direction: "ingress", policy: "NetworkPolicy mute/only", rule: "ingress[0]" },
    ],
  });
  expect(await stage.ctl("policy", "trace", NEW.ip, OLD.ip, "80")).toMatchObject({
    verdict: "deny",
    sides: [
      { direction: "egress", policy: "NetworkPolicy mute/only", rule: "", verdict: "deny" },
      { direction: "ingress", verdict: "accept" },
    ],
  });
  for (const [from, to] of [
    [live.node.ip4, fresh],
    [fresh, live.node.ip4],
  ] as const)
    expect(await stage.ctl("policy", "trace", from, to, "81")).toMatchObject({
      verdict: "accept",
      sides: [],
      notes: [`${live.node.ip4} is this node's: it and its pods reach each other, whatever policies say`],
    });
  const { flows } = (await stage.ctl("policy", "verdicts")) as { flows: Record<string, unknown>[] };
  expect(flows).toContainEqual(
    expect.objectContaining({ from: old, to: fresh, protocol: "tcp", port: 80, verdict: "accept" }),
  );
  for (const port of [81, 80])
    expect(flows).toContainEqual(
      expect.objectContaining({ from: old, to: fresh, protocol: port === 81 ? "tcp" : "udp", port, verdict: "deny" }),
    );
  const line = `"from":"${old}","to":"${fresh}","protocol":"tcp","port":81`;
  await eventually("it is in the log", async () => live.daemon.log().includes(line) || undefined);
  expect(await stage.ctl("policy", "list")).toMatchObject({
    policies: [{ name: "NetworkPolicy mute/only", tier: "network", pods: [fresh] }],
    mistakes: [],
  });
});
