/**
 * Random and mutated configurations and environments through the plugin and the daemon in one process: always a CNI
 * error or a result, and never a half-made attachment.
 */

import { expect, test } from "@jest/globals";
import { plugin } from "#lib/cni/plugin.ts";
import { CniError } from "#proto/selvedge_pb.ts";
import { fc } from "../support/property.ts";
import { text, variables } from "./arbitrary.ts";
import { boot, patient, type Running, type World, world, wounds } from "./world.ts";

const RUNS = 10_000;
/** Configurations for one node: what one leaves behind is there for the next. */
const PER_NODE = 250;
const METHOD = { ADD: "add", DEL: "del", CHECK: "check", GC: "gc", STATUS: "status" } as const;

async function fresh(): Promise<{ node: World; running: Running }> {
  const node = world();
  node.kernel.addNamespace("/run/netns/a");
  node.kernel.addNamespace("/run/netns/b");
  return { node, running: await boot(node) };
}

const invoke = ({ node, running }: { node: World; running: Running }, env: Record<string, string>, stdin: string) =>
  plugin({
    variables: env,
    stdin: async () => Buffer.from(stdin),
    inode: async (path) => node.kernel.namespaceInode(path) ?? 0,
    ask: async (verb, request) => {
      const { result = new Uint8Array(), error } = await running.verbs[METHOD[verb]](request, patient());
      return { result, ...(error && { error: CniError.of(error) }) };
    },
    loopback: async () => "",
    enqueue: () => Promise.reject(new Error("the daemon is there")),
  });

test(`${RUNS} configurations and environments`, async () => {
  let place = await fresh();
  let runs = 0;
  const successes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(variables, text, async (env, stdin) => {
      if (++runs % PER_NODE === 0) place = await fresh();
      place.node.nowMs += 1_000;
      const { exit, out, err } = await invoke(place, env, stdin);
      expect(`${out}${err}`).not.toMatch(/\n\s+at |internal error|TypeError|RangeError|undefined/);
      const verb = env.CNI_COMMAND ?? "";
      if (exit === 1) {
        const { code, msg } = JSON.parse(out) as { code: number; msg: string };
        expect(code).toBeGreaterThan(0);
        expect(msg).not.toBe("");
      } else {
        successes.set(verb, (successes.get(verb) ?? 0) + 1);
        if (verb === "ADD") expect(JSON.parse(out)).toHaveProperty("cniVersion");
        else if (verb !== "VERSION") expect(out).toBe("");
      }
      expect({ env, stdin, wounds: await wounds(place.node, place.running) }).toEqual({ env, stdin, wounds: [] });
    }),
    // Each run leaves its node to the next: there is nothing to shrink.
    { numRuns: RUNS, seed: 20_263, endOnFailure: true },
  );
  // A generator that only makes nonsense would prove nothing.
  const rare = ["ADD", "DEL", "CHECK", "GC", "STATUS"].filter((verb) => (successes.get(verb) ?? 0) < 3);
  expect({ rare, successes: [...successes] }).toEqual({ rare: [], successes: [...successes] });
}, 180_000);
