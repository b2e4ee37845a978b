import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { BOOTS, filesOfBoots } from "./boots.ts";

const top = join(import.meta.dirname, "..", "..");

test("there are boots, and each file runs in one of them", () => {
  const files = filesOfBoots().flatMap(({ files }) => files);
  expect(BOOTS.length).toBeGreaterThan(0);
  expect(files.length).toBeGreaterThan(0);
  expect(new Set(files).size).toBe(files.length);
  for (const file of files) expect([file, existsSync(join(top, file))]).toEqual([file, true]);
});

test("the patterns of every boot that names files of the machine's run find them", () => {
  const found = new Set(filesOfBoots().map(({ boot }) => boot.name));
  const named = BOOTS.filter(({ files }) => files.every((pattern) => !pattern.endsWith(".vm.test.ts")));
  expect(named.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([]);
});
