/** The published rows against the real kernel: real namespaces, the real daemon, a directory of manifests. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";
import { makePeers, type Peers } from "./peers.ts";
import { ROWS, readSteps, type Step } from "./rows.ts";

const runs = needing(...LIVE, { program: "python3" }, { file: ROWS });
/** Of each step: so many pairs that should pass and so many that should not, for each protocol. */
const SAMPLES = 4;
const PROTOCOLS = ["TCP", "UDP"];

const directory = mkdtempSync(join(tmpdir(), "policies-"));
const manifests = join(directory, "manifests");
let live: LiveNode;
let peers: Peers;
/** Namespaces of pods that are attached, with the address that each got. */
const attached = new Map<string, string>();

beforeAll(async () => {
  if (runs === test.skip) return;
  mkdirSync(manifests);
  write({ apiVersion: "v1", kind: "List", items: [] });
  live = await makeLiveNode({
    name: "pol",
    config: {
      pools: [{ name: "default", ranges: [[{ subnet: "192.168.242.0/24", gateway: "192.168.242.254" }]] }],
      policies: { directory: manifests },
      ipam: { coolDownSeconds: 0 },
    },
  });
  peers = makePeers();
}, 60_000);
afterAll(async () => {
  await peers?.[Symbol.asyncDispose]();
  await live?.[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

function write(value: object): void {
  writeFileSync(join(directory, "all.json"), JSON.stringify(value));
  renameSync(join(directory, "all.json"), join(manifests, "all.json"));
}

const changes = () => live.daemon.log().split('"event":"policies-changed"').length;

/** The step's world, as the daemon is to see it. */
async function show(step: Step): Promise<void> {
  for (const [key, id] of attached) {
    if (step.pods.has(key)) continue;
    await peers.end(id);
    expect(await live.ask("DEL", id)).toMatchObject({ exit: 0 });
    attached.delete(key);
  }
  for (const [key, pod] of step.pods) {
    if (attached.has(key)) continue;
    const id = `pol-${key.replace("/", "-")}`;
    await live.pods(id);
    const [address] = pod.addresses;
    const ran = await live.ask("ADD", id, {
      config: { runtimeConfig: { ips: [`${address}/24`] }, capabilities: { ips: true } },
      variables: {
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name}`,
      },
    });
    if (ran.exit !== 0) throw new Error(ran.stdout);
    attached.set(key, id);
    await peers.serve(id);
  }
  const before = changes();
  write({ apiVersion: "v1", kind: "List", items: step.manifests });
  await eventually("the daemon has applied them", async () => changes() > before || undefined);
}

interface Sample {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly passes: boolean;
}

/** Some of each kind, other ones in each step. */
function samplesOf({ expected }: Step, seed: number): Sample[] {
  const all = expected
    .filter(({ probe }) => PROTOCOLS.includes(probe.protocol))
    .flatMap(({ probe, pods, matrix }) =>
      pods.flatMap((from, i) =>
        pods.flatMap((to, j): Sample[] => {
          if (i === j) return [];
          const passes = matrix[i]?.[j] === ".";
          return [{ from, to, protocol: probe.protocol.toLowerCase(), port: probe.port, passes }];
        }),
      ),
    );
  return PROTOCOLS.flatMap((protocol) =>
    [true, false].flatMap((passes) => {
      const of = all.filter((each) => each.passes === passes && each.protocol === protocol.toLowerCase());
      return Array.from({ length: Math.min(SAMPLES, of.length) }, (_, i) => of[(seed * 31 + i * 17) % of.length]);
    }),
  ).filter((sample) => sample !== undefined);
}

runs(
  "sampled probes of every published row meet in the kernel what the row says",
  async () => {
    const steps = readSteps();
    let probes = 0;
    const wrong: string[] = [];
    for (const [n, step] of steps.entries()) {
      await show(step);
      const samples = samplesOf(step, n);
      expect(samples.length).toBeGreaterThan(0);
      probes += samples.length;
      const seen = await Promise.all(
        samples.map(({ from, to, protocol, port }) => {
          const [address = ""] = step.pods.get(to)?.addresses ?? [];
          return peers.of(attached.get(from) ?? "").reaches(protocol, address, port);
        }),
      );
      for (const [i, { from, to, protocol, port, passes }] of samples.entries())
        if (seen[i] !== passes)
          wrong.push(`${step.title}: ${from} to ${to} ${protocol} ${port}: passes ${seen[i]}, not ${passes}`);
    }
    console.log(`${steps.length} steps, ${probes} probes`);
    expect(wrong).toEqual([]);
  },
  300_000,
);
