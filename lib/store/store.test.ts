import { mkdtemp, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import { walk } from "./contract.ts";
import { memory } from "./memory.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";
import { sqlite } from "./sqlite.ts";
import type { Reservation, Snapshot } from "./store.ts";

/** A file name in a directory of its own, which goes when the test ends. */
async function scratch() {
  const directory = await mkdtemp(join(tmpdir(), "selvedge-store-"));
  return {
    file: join(directory, "state.db"),
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const refusal = (what: string) => ({ failure: { kind: "store" }, message: expect.stringContaining(what) });

test.each([1, 2, 3, 4, 5])("memory keeps what was committed, seed %d", (seed) =>
  walk(async () => memory(), { seed, commits: 200 }),
);

test.each([1, 2, 3, 4, 5])("sqlite keeps what was committed, through reopening, seed %d", async (seed) => {
  await using at = await scratch();
  await walk(() => sqlite(at.file), { seed, commits: 100, reopen: () => sqlite(at.file) });
});

test("synchronous FULL is a store like the other", async () => {
  await using at = await scratch();
  const open = () => sqlite(at.file, { synchronous: "FULL" });
  await walk(open, { seed: 6, commits: 20, reopen: open });
});

test("a commit that fails half-way leaves nothing of itself", async () => {
  await using at = await scratch();
  await using store = await sqlite(at.file);
  const good = { put: "pool", value: { name: "a", pool: "{}" } } as const;
  const bad = { put: "replayed", name: "x", atMs: 1.5 } as const;
  await expect(store.commit([good, bad])).rejects.toMatchObject(refusal("state.db"));
  const nothing: Snapshot = {
    attachments: [],
    leases: [],
    coolDowns: [],
    pools: [],
    reservations: [],
    shares: [],
    replayed: [],
    shared: [],
    own: [],
  };
  expect(await store.load()).toEqual(nothing);
  await store.commit([good]);
  expect((await store.load()).pools).toEqual([{ name: "a", pool: "{}" }]);
});

test("a store that is open cannot be opened again; once closed it can", async () => {
  await using at = await scratch();
  const first = await sqlite(at.file);
  await expect(sqlite(at.file)).rejects.toMatchObject(refusal("is in use by another process"));
  await first.commit([{ put: "replayed", name: "still works", atMs: 1 }]);
  await first[Symbol.asyncDispose]();
  await using second = await sqlite(at.file);
  expect((await second.load()).replayed).toEqual(["still works"]);
});

test("a newer schema is refused and left as it is", async () => {
  await using at = await scratch();
  await (await sqlite(at.file))[Symbol.asyncDispose]();
  const db = new DatabaseSync(at.file);
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 6}`);
  db.close();
  await expect(sqlite(at.file)).rejects.toMatchObject(
    refusal(`was written by a newer Selvedge (schema ${MIGRATIONS.length + 6}; this one knows ${MIGRATIONS.length})`),
  );
});

test("a file of the first schema is read, and takes what came later", async () => {
  await using at = await scratch();
  const db = new DatabaseSync(at.file);
  db.exec(MIGRATIONS[0] ?? "");
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`);
  db.exec("INSERT INTO lease VALUES ('std', '10.1.0.5', 'c1', 'eth0', 'default/db-0', 1760000000000)");
  db.close();
  const lease = { pool: "std", address: "10.1.0.5", containerId: "c1", ifname: "eth0", pod: "default/db-0" };
  const value: Reservation = {
    pool: "std",
    name: "default/db-0",
    addresses: [address("10.1.0.5"), address("fd00::5")],
    mac: mac("02:00:00:00:00:05"),
    origin: "operator",
    sinceMs: 1_760_000_000_001,
  };
  const first = await sqlite(at.file);
  expect((await first.load()).leases).toEqual([{ ...lease, sinceMs: 1_760_000_000_000 }]);
  await first.commit([{ put: "reservation", value }]);
  await first[Symbol.asyncDispose]();
  await using again = await sqlite(at.file);
  expect((await again.load()).reservations).toEqual([value]);
});

test("another program's database is refused", async () => {
  await using at = await scratch();
  const db = new DatabaseSync(at.file);
  db.exec("CREATE TABLE theirs (a)");
  db.close();
  await expect(sqlite(at.file)).rejects.toMatchObject(refusal("is a SQLite file of another program"));
});

test("a file that is no database is refused, and not made anew", async () => {
  await using at = await scratch();
  await writeFile(at.file, "not a database at all\n".repeat(100));
  await expect(sqlite(at.file)).rejects.toMatchObject(refusal("is damaged"));
  expect((await stat(at.file)).size).toBe(2200);
});

test("a file that lost its end is refused", async () => {
  await using at = await scratch();
  const store = await sqlite(at.file);
  const names = Array.from({ length: 2_000 }, (_, i) => `entry-${i}`);
  await store.commit(names.map((name) => ({ put: "replayed", name, atMs: 1 })));
  await store[Symbol.asyncDispose]();
  await truncate(at.file, 8 * 4096);
  await expect(sqlite(at.file)).rejects.toMatchObject(refusal("is damaged"));
});

test("a directory that is not there is named", async () => {
  await using at = await scratch();
  const file = join(at.directory, "absent", "state.db");
  await expect(sqlite(file)).rejects.toMatchObject(refusal(`${file} cannot be opened`));
});
