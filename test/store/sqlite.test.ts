/** What only a second process, a full disk or a kill can show. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { sequence } from "#lib/store/contract.ts";
import { sqlite } from "#lib/store/sqlite.ts";
import { needing } from "../support/requirement.ts";

const COMMITTER = join(import.meta.dirname, "committer.ts");

function directory() {
  const path = mkdtempSync(join(tmpdir(), "selvedge-store-"));
  return { path, file: join(path, "state.db"), [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** Starts a committer, waits for its first commit, and kills it `afterMs` later; the last number it acknowledged. */
async function commitAndKill(file: string, from: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [COMMITTER, file, `${from}`], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data: Buffer) => {
    said += data.toString();
  });
  await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill("SIGKILL");
  await once(child, "close");
  return Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
}

test("every acknowledged commit outlives SIGKILL, and no commit is half there", async () => {
  using at = directory();
  const random = sequence(7);
  let acknowledged = -1;
  for (let kill = 0; kill < 40; kill++) {
    const last = await commitAndKill(at.file, acknowledged + 1, random(12));
    await using store = await sqlite(at.file);
    const { replayed, pools } = await store.load();
    expect(last).toBeGreaterThan(acknowledged);
    expect(replayed.length).toBeGreaterThan(last);
    // One transaction holds both, so the newest of each must agree.
    expect(Math.max(...replayed.map(Number))).toBe(replayed.length - 1);
    expect(pools).toEqual([{ name: "last", pool: `${replayed.length - 1}` }]);
    acknowledged = replayed.length - 1;
  }
});

test("a second process is refused at once, and let in when the first is killed", async () => {
  using at = directory();
  const child = spawn(process.execPath, [COMMITTER, at.file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.stdout.resume();
  const began = performance.now();
  await expect(sqlite(at.file)).rejects.toMatchObject({
    failure: { kind: "store" },
    message: expect.stringContaining("is in use by another process"),
  });
  expect(performance.now() - began).toBeLessThan(5_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  await using store = await sqlite(at.file);
  expect((await store.load()).replayed.length).toBeGreaterThan(0);
});

needing("root")(
  "a full disk refuses the commit, keeps what was there, and works again when there is room",
  async () => {
    using at = directory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", at.path]);
    try {
      await using store = await sqlite(at.file);
      await store.commit([{ put: "replayed", name: "before", atMs: 1 }]);
      writeFileSync(join(at.path, "ballast"), Buffer.alloc(200_000));
      const big = { put: "pool", value: { name: "big", pool: "x".repeat(400_000) } } as const;
      await expect(store.commit([{ put: "replayed", name: "lost", atMs: 2 }, big])).rejects.toMatchObject({
        failure: { kind: "store" },
        message: expect.stringMatching(/state\.db .*disk is full/),
      });
      expect(await store.load()).toMatchObject({ replayed: ["before"], pools: [] });
      rmSync(join(at.path, "ballast"));
      await store.commit([{ put: "replayed", name: "after", atMs: 3 }]);
      expect((await store.load()).replayed).toEqual(["after", "before"]);
    } finally {
      execFileSync("umount", [at.path]);
    }
  },
);

needing("root")("a file system that is read-only refuses to open, and says so", async () => {
  using at = directory();
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", at.path]);
  try {
    await (await sqlite(at.file))[Symbol.asyncDispose]();
    execFileSync("mount", ["-o", "remount,ro", at.path]);
    await expect(sqlite(at.file)).rejects.toMatchObject({
      failure: { kind: "store" },
      message: expect.stringMatching(/state\.db cannot be locked for writing/),
    });
  } finally {
    execFileSync("umount", [at.path]);
  }
});

test("its files are closed to others, also those that an earlier version has made, in a directory that is open", async () => {
  using at = directory();
  chmodSync(at.path, 0o755);
  const modes = () => readdirSync(at.path).map((name) => [name, statSync(join(at.path, name)).mode & 0o777]);
  const open = async () => {
    await using store = await sqlite(at.file);
    await store.commit([{ put: "replayed", name: "one", atMs: 1 }]);
    return Object.fromEntries(modes());
  };
  expect(await open()).toEqual({ "state.db": 0o600, "state.db-wal": 0o600 });
  chmodSync(at.file, 0o644);
  expect(await open()).toEqual({ "state.db": 0o600, "state.db-wal": 0o600 });
});
