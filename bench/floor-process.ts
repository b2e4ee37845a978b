/** The other end of floor.ts: asks for one attachment at a time, so that it alternates with everything else. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Made, Wish } from "./floor.ts";

export interface Floor extends AsyncDisposable {
  /** @throws Error when the program ends instead of answering */
  make(wish: Wish): Promise<Made>;
}

/** @param node the project's Node */
export function startFloor(node: string): Floor {
  const program = `ip link set lo up; exec "$0" "$1"`;
  const argv = ["--net", "/bin/sh", "-c", program, node, join(import.meta.dirname, "floor.ts")];
  const child = spawn("/usr/bin/unshare", argv, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async make(wish) {
      child.stdin.write(`${JSON.stringify(wish)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the program that measures the floor has ended");
      return JSON.parse(value) as Made;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
