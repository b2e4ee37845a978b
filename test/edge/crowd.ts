/** A thousand pods: their namespaces are made and removed at once, and the built plugin attaches a few at a time. */
import { inside, must, run } from "../../conformance/program.ts";
import type { ClusterNode } from "../cluster/node.ts";
import { invocation, PLUGIN } from "../support/invocation.ts";

const AT_ONCE = 4;

/** Attaches so many pods to a node; at the end they go with their namespaces. @throws Error with what the plugin said */
export async function crowd({ name, namespace, daemon }: ClusterNode, count: number): Promise<AsyncDisposable> {
  const ids = Array.from({ length: count }, (_, n) => `crowd-${name}-${n}`);
  const all = (verb: "add" | "del") =>
    must(["ip", "-batch", "-"], { input: ids.map((id) => `netns ${verb} ${id}\n`).join(""), deadlineMs: 120_000 });
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => void (await all("del")));
  await all("add");
  const waiting = ids[Symbol.iterator]();
  const attach = async (): Promise<void> => {
    for (const id of waiting) {
      const called = invocation(daemon, "ADD", id);
      const { exit, stdout, stderr } = await run(inside(namespace, [PLUGIN]), called);
      if (exit !== 0) throw new Error(`ADD ${id}: ${stdout}${stderr}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, attach));
  return stack.move();
}
