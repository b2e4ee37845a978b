/** Network namespaces of pods, made beforehand: on a node that is the runtime's part, and not what is measured. */
import { pathOf } from "../../conformance/namespace.ts";
import { must } from "../../conformance/program.ts";

export interface Sandboxes extends AsyncDisposable {
  /** Path of an empty one. @throws RangeError when there is none left */
  take(): string;
  /** It is empty again. */
  give(path: string): void;
}

const PATIENCE_MS = 300_000;

export async function makeSandboxes(count: number): Promise<Sandboxes> {
  const names = Array.from({ length: count }, (_, number) => `sandbox-${number}`);
  const each = async (verb: "add" | "delete"): Promise<void> => {
    const input = names.map((name) => `netns ${verb} ${name}\n`).join("");
    await must(["ip", "-batch", "-"], { input, deadlineMs: PATIENCE_MS });
  };
  await each("add");
  const free = names.map(pathOf);
  return {
    take() {
      const path = free.shift();
      if (path === undefined) throw new RangeError(`all of ${count} namespaces are in use`);
      return path;
    },
    give: (path) => void free.push(path),
    [Symbol.asyncDispose]: () => each("delete"),
  };
}
