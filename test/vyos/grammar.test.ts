/** The checker of paths that the other tests go by, against commands that are known to be right and wrong. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { Version } from "#lib/edge/dialect.ts";
import { needing } from "../support/requirement.ts";
import { DATA, grammar, grammarFile } from "../support/vyos/grammar.ts";

const VERSIONS: readonly Version[] = ["1.4", "rolling"];
const commands = (file: string) =>
  readFileSync(join(DATA, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.replace(/^set /, "").split(" "));
const checked = needing({ file: grammarFile("1.4") });

checked.each(VERSIONS)("VyOS %s: good commands pass, bad ones do not", (version) => {
  const { refusal } = grammar(version);
  const [good, bad] = [commands("commands-good.txt"), commands("commands-bad.txt")];
  expect(good.length).toBeGreaterThan(10);
  expect(bad.length).toBeGreaterThan(10);
  expect(good.flatMap((path) => refusal(path, "set") ?? [])).toEqual([]);
  expect(bad.filter((path) => refusal(path, "set") === undefined)).toEqual([]);
});

checked("a refusal has the router's words", () => {
  const { refusal } = grammar("1.4");
  expect(refusal(["protocols", "static", "rout", "10.0.0.0/8", "blackhole"], "set")).toBe(
    "Configuration path: [protocols static rout 10.0.0.0/8 blackhole] is not valid\n\nSet failed\n",
  );
  expect(refusal(["protocols", "static", "route", "10.0.0.0/8", "description"], "set")).toBe(
    "Configuration path: [protocols static route 10.0.0.0/8 description] requires a value\nSet failed\n",
  );
});

test("both versions are looked at", () => expect(VERSIONS).toHaveLength(2));
