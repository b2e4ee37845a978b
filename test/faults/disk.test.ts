/** The disk is full, or read-only: nothing is half done, nothing is forgotten, and all goes on when there is room again. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually, must } from "../../conformance/program.ts";
import { everything, LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE);
const wish = { config: everything(8_080) };

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  live = await makeLiveNode({ name: "dk", config: { reconcile: { everySeconds: 1 } } });
  await live.daemon.stop();
  // The state gets a disk of its own, the queue another.
  for (const name of ["state", "queue"])
    await must(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", join(live.directory, name)]);
  await live.daemon.start();
  await live.pods("dk-a", "dk-b");
});
afterAll(async () => {
  await live?.daemon.kill();
  for (const name of ["state", "queue"]) if (live) await must(["umount", join(live.directory, name)]);
  await live?.[Symbol.asyncDispose]();
});

/** Leaves no room on one of the two disks. */
async function fill(name: "state" | "queue"): Promise<() => Promise<string>> {
  const path = join(live.directory, name, "ballast");
  for (let block = 65_536; block >= 1; block = Math.floor(block / 16)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(block), { flag: "a" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  return () => must(["rm", path]);
}
const remount = (how: "ro" | "rw") => must(["mount", "-o", `remount,${how}`, join(live.directory, "state")]);

/** What ADD, DEL and a kill do while the store refuses, and after it takes again. */
async function refusing(end: () => Promise<unknown>): Promise<void> {
  const refused = await live.ask("ADD", "dk-b");
  expect(refused.exit).toBe(1);
  expect(JSON.parse(refused.stdout)).toMatchObject({ code: 104 });
  expect((await live.left()).filter((line) => line.includes("dk-b"))).toEqual([]);
  // The queue lies on another disk.
  for (let i = 0; i < 2; i++) expect(await live.ask("DEL", "dk-a", wish)).toMatchObject({ exit: 0, stdout: "" });
  expect(live.queued().length).toBeGreaterThan(0);
  await end();
  expect(await live.ask("DEL", "dk-a", wish)).toMatchObject({ exit: 0, stdout: "" });
  expect(await live.ask("DEL", "dk-b")).toMatchObject({ exit: 0, stdout: "" });
  await eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));
}

runs("the disk of the state is full", async () => {
  expect(await live.ask("ADD", "dk-a", wish)).toMatchObject({ exit: 0 });
  await refusing(await fill("state"));
});

runs("the disk of the state is read-only", async () => {
  expect(await live.ask("ADD", "dk-a", wish)).toMatchObject({ exit: 0 });
  await live.daemon.stop();
  await remount("ro");
  // A daemon that cannot write its state says so at once; the plugin queues meanwhile.
  await expect(live.daemon.start()).rejects.toThrow();
  expect(live.daemon.log().split("\n").at(-2)).not.toMatch(/^\s+at /);
  expect(await live.ask("DEL", "dk-a", wish)).toMatchObject({ exit: 0, stdout: "" });
  await remount("rw");
  await live.daemon.start();
  await eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));
});

runs("daemon away and no room in the queue: a clear error, and the next DEL succeeds", async () => {
  expect(await live.ask("ADD", "dk-a", wish)).toMatchObject({ exit: 0 });
  await live.daemon.stop();
  const free = await fill("queue");
  const { exit, stdout } = await live.ask("DEL", "dk-a", wish);
  expect(exit).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ code: 104 });
  expect(stdout).toContain(join(live.directory, "queue"));
  expect(live.queued()).toEqual(["ballast"]);
  await free();
  expect(await live.ask("DEL", "dk-a", wish)).toMatchObject({ exit: 0, stdout: "" });
  await live.daemon.start();
  await eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));
});
