import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { manifestDirectory } from "./directory.ts";

let directory = "";
let stopping: AbortController;
let done: Promise<void> = Promise.resolve();
const told: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "manifests-"));
  stopping = new AbortController();
  told.length = 0;
});
afterEach(async () => {
  stopping.abort();
  await done;
  rmSync(directory, { recursive: true, force: true });
});

async function follow(): Promise<void> {
  const listener = {
    put: (name: string, object: unknown) => void told.push(`put ${name} ${JSON.stringify(object)}`),
    remove: (name: string) => void told.push(`remove ${name}`),
    told: () => void told.push("told"),
    failed: (name: string, message: string) => void told.push(`failed ${name}: ${message.split("\n")[0]}`),
  };
  ({ done } = await manifestDirectory(directory).follow(listener, stopping.signal));
}

const write = (name: string, text: string) => {
  writeFileSync(join(directory, `.${name}`), text);
  renameSync(join(directory, `.${name}`), join(directory, name));
};

/** What is told after the change, once something is. */
async function after(change: () => void): Promise<string[]> {
  told.length = 0;
  change();
  for (let i = 0; i < 400 && told.length === 0; i++) await sleep(10);
  await sleep(50);
  return [...told];
}

test("everything there is at first, then what changes, document by document", async () => {
  write("b.yaml", "a: 1\n---\n---\nb: 2\n");
  write("a.json", '{"c": 3}');
  write("notes.txt", "not for us");
  await follow();
  expect(told).toEqual(['put a.json#0 {"c":3}', 'put b.yaml#0 {"a":1}', 'put b.yaml#1 {"b":2}', "told"]);
  expect(await after(() => write("b.yaml", "a: 1\n---\nb: 4\n---\nd: 5\n"))).toEqual([
    'put b.yaml#1 {"b":4}',
    'put b.yaml#2 {"d":5}',
    "told",
  ]);
  expect(await after(() => write("b.yaml", "a: 1\n"))).toEqual(["remove b.yaml#1", "remove b.yaml#2", "told"]);
  expect(await after(() => unlinkSync(join(directory, "a.json")))).toEqual(["remove a.json#0", "told"]);
}, 30_000);

test("a file that cannot be read is told of once, and what it said stands", async () => {
  write("a.yaml", "a: 1\n");
  await follow();
  expect((await after(() => write("a.yaml", "a: [1\n")))[0]).toMatch(/^failed a\.yaml: /);
  expect(await after(() => write("a.yaml", "a: 2\n"))).toEqual(["remove a.yaml", 'put a.yaml#0 {"a":2}', "told"]);
}, 30_000);

test("a directory that is not there is told of, and found when it comes", async () => {
  rmSync(directory, { recursive: true });
  await follow();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^failed .*ENOENT/);
}, 30_000);
