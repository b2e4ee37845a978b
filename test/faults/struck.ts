/** The real daemon brought down while a verb runs for several pods at once, and what has to hold afterwards. */
import { expect } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import type { JsonObject } from "../../conformance/subject.ts";
import type { Verb } from "../support/invocation.ts";
import type { LiveNode } from "../support/live-node.ts";

export interface Struck {
  readonly live: LiveNode;
  readonly pods: readonly string[];
  /** What a pod's configuration has besides the network's name. */
  wish(id: string): { readonly config: JsonObject };
  /** What is there without any attachment, as `LiveNode.left` says it. */
  readonly before?: readonly string[];
}

/** Runs the verb for all pods at once, on a daemon with these variables, while `hit` brings it down; then it is started again. */
export async function struck(
  { live, pods, wish, before = [] }: Struck,
  verb: Verb,
  variables: Readonly<Record<string, string>>,
  hit: () => Promise<unknown>,
): Promise<void> {
  const all = (verb: Verb, ids: readonly string[] = pods) => Promise.all(ids.map((id) => live.ask(verb, id, wish(id))));
  const left = async () => (await live.left()).filter((line) => !before.includes(line));

  /** What was promised holds, the rest is whole or gone, and everything can be taken away. */
  const recovered = async (promised: { readonly there: readonly string[]; readonly gone: readonly string[] }) => {
    const known = () => live.rows("attachment").map(({ container_id }) => String(container_id));
    await eventually("what was half made is undone", async () =>
      live.rows("attachment").every(({ phase }) => phase === "ready") ? true : undefined,
    );
    expect(promised.there.filter((id) => !known().includes(id))).toEqual([]);
    expect(promised.gone.filter((id) => known().includes(id))).toEqual([]);
    expect(live.queued()).toEqual([]);
    await eventually("what is there is whole", async () => {
      const checks = await all("CHECK", known());
      return checks.every(({ exit }) => exit === 0) || undefined;
    });
    const deletes = await all("DEL");
    expect(deletes.map(({ exit, stdout }) => [exit, stdout])).toEqual(pods.map(() => [0, ""]));
    await eventually("links are deleted", async () => (await left()).length === 0 || undefined).catch(() => {});
    expect(await left()).toEqual([]);
  };

  if (verb === "DEL")
    expect((await all("ADD")).map(({ exit, stdout }) => (exit === 0 ? 0 : stdout))).toEqual(pods.map(() => 0));
  if (Object.keys(variables).length > 0) {
    await live.daemon.stop();
    await live.daemon.start(variables);
  }
  const [answers] = await Promise.all([all(verb), hit()]);
  const done = pods.filter((_, i) => answers[i]?.exit === 0);
  for (const { exit, stdout } of answers) if (exit !== 0) expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
  if (verb === "DEL") expect(done).toEqual(pods);
  await live.daemon.start();
  await recovered(verb === "ADD" ? { there: done, gone: [] } : { there: [], gone: done });
}
