/** Many at once in little memory, and the same thing very often. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { DAEMON } from "../../conformance/daemon.ts";
import { eventually } from "../../conformance/program.ts";
import { everything, LIVE, type LiveNode, makeLiveNode } from "../support/live-node.ts";
import { needing } from "../support/requirement.ts";

const runs = needing(...LIVE, { file: "/sys/fs/cgroup/memory/memory.limit_in_bytes" });
const PODS = Array.from({ length: 250 }, (_, i) => `st-${i}`);
const LIMIT_BYTES = 256 * 1024 * 1024;
const CHECKS = 1_000;
const cgroup = `/sys/fs/cgroup/memory/selvedge-storm-${process.pid}`;
const wish = { config: everything(8_080) };

let live: LiveNode;
beforeAll(async () => {
  if (runs === test.skip) return;
  mkdirSync(cgroup);
  writeFileSync(join(cgroup, "memory.limit_in_bytes"), String(LIMIT_BYTES));
  const enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
  live = await makeLiveNode({
    name: "st",
    config: { ipam: { coolDownSeconds: 0 } },
    around: (argv) =>
      argv.some((word) => word.includes(`${DAEMON.at(-1)}`)) ? ["/bin/sh", "-c", enter, cgroup, ...argv] : [...argv],
  });
  await live.pods(...PODS);
});
afterAll(async () => {
  await live?.[Symbol.asyncDispose]();
  // A process that has ended leaves its cgroup a moment later.
  await eventually("the cgroup is removed", async () => {
    if (existsSync(cgroup)) rmdirSync(cgroup);
    return true;
  });
});

const all = (verb: "ADD" | "DEL") => Promise.all(PODS.map((id) => live.ask(verb, id)));

runs("250 ADDs at once, the daemon in 256 MiB", async () => {
  const answers = await all("ADD");
  for (const { exit, stdout } of answers) if (exit !== 0) expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
  const served = PODS.filter((_, i) => answers[i]?.exit === 0);
  expect(
    live
      .rows("attachment")
      .map(({ container_id }) => container_id)
      .toSorted(),
  ).toEqual(served.toSorted());
  const addresses = live.rows("lease").map(({ address }) => address);
  expect(new Set(addresses).size).toBe(served.length * 2);
  const [, peakKib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${live.daemon.pid()}/status`, "utf8")) ?? [];
  console.log(`${served.length} of ${PODS.length} served, peak RSS ${Math.round(Number(peakKib) / 1024)} MiB`);
  expect(Number(peakKib) * 1024).toBeLessThan(LIMIT_BYTES);
  expect(readFileSync(join(cgroup, "memory.oom_control"), "utf8")).toMatch(/oom_kill 0/);
  expect((await all("DEL")).filter(({ exit }) => exit !== 0)).toEqual([]);
  await eventually("nothing is left", async () => ((await live.left()).length === 0 ? true : undefined));
});

runs(`${CHECKS} CHECKs raise no false alarm`, async () => {
  const checked = async (times: number) => {
    for (let i = 0; i < times; i++)
      expect(await live.ask("CHECK", "st-0", wish)).toMatchObject({ exit: 0, stdout: "" });
  };
  for (let i = 0; i < 100; i++) {
    expect(await live.ask("ADD", "st-0", wish)).toMatchObject({ exit: 0 });
    await checked(1);
    if (i === 0) await checked(CHECKS - 100);
    expect(await live.ask("DEL", "st-0", wish)).toMatchObject({ exit: 0 });
  }
  expect(live.daemon.log()).not.toContain('"event":"drift"');
});
