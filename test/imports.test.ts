import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { expect, test } from "@jest/globals";
import { areaOf, PICTURE } from "./support/picture.ts";

const top = dirname(import.meta.dirname);
/** Places that hold no source of ours. */
const NOT_OURS = ["node_modules", "dist", ".git", ".cache"];

const files = globSync("**/*.ts", { cwd: top, exclude: (name) => NOT_OURS.includes(name) }).filter(
  (path) => !path.endsWith("_pb.d.ts"),
);
const isTest = (path: string) => path.endsWith(".test.ts");
const source = (path: string) => withoutComments(readFileSync(join(top, path), "utf8"));

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
}

/** What a text imports, types included. */
function importsOf(text: string): string[] {
  return Array.from(text.matchAll(/(?:^|[\s;}])(?:from|import)\s*\(?\s*"([^"\n]+)"/g), (found) => found[1] ?? "");
}

const ALIASES = Object.entries({ "#lib/": "lib/", "#native/": "native/", "#proto/": "proto/" });

/** The path inside the project that a specifier leads to, or undefined for a package or one of Node's modules. */
function pathOf(specifier: string, importer: string): string | undefined {
  if (specifier.startsWith(".")) return relative(top, join(top, dirname(importer), specifier));
  const alias = ALIASES.find(([name]) => specifier.startsWith(name));
  return alias && specifier.replace(alias[0], alias[1]);
}

const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** One sentence for each import of `text` that the picture does not have. */
function violations(path: string, text: string): string[] {
  const area = areaOf(path);
  const row = PICTURE[area];
  if (row === undefined) return [`${path}: the picture has no area "${area}"`];
  const allowed = (list: readonly string[], name: string) => list.includes("*") || list.includes(name);
  const found: string[] = [];
  for (const specifier of importsOf(text)) {
    const target = pathOf(specifier, path);
    const say = (what: string) => found.push(`${path}: ${area} may not import ${what}`);
    if (target !== undefined) {
      const to = areaOf(target);
      const own = to === area || target === "package.json";
      if (!own && !(isTest(path) && area !== "conformance") && !allowed(row.from, to) && !allowed(row.from, target))
        say(target);
    } else if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
      if (!specifier.startsWith("node:")) say(`${specifier} without node:`);
      else if (!isTest(path) && row.builtins && !row.builtins.includes(specifier)) say(specifier);
    } else if (!isTest(path) && !allowed(row.packages, packageOf(specifier))) say(specifier);
  }
  return found;
}

test("there are files to look at, in every area of the picture", () => {
  const areas = new Set(files.map(areaOf));
  expect(files.length).toBeGreaterThan(20);
  expect(Object.keys(PICTURE).filter((area) => !areas.has(area))).toEqual([]);
});

test("every file imports only what the picture allows", () => {
  expect(files.flatMap((path) => violations(path, source(path)))).toEqual([]);
});

test("the picture names only areas and files that there are", () => {
  const named = Object.values(PICTURE).flatMap((area) => area.from);
  const known = new Set(["*", ...Object.keys(PICTURE), ...files]);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

/** Scripts read their own arguments; everything under lib and native is told. */
const READS_THE_OUTSIDE = ["cmd", "install", "test", "bench", "conformance", "proto"];

test("only programs and scripts read process.env and process.argv", () => {
  const readers = files.filter(
    (path) =>
      !isTest(path) && !READS_THE_OUTSIDE.includes(areaOf(path)) && /\bprocess\.(env|argv)\b/.test(source(path)),
  );
  expect(readers).toEqual([]);
});

const samples: [why: string, path: string, text: string, expected: string[]][] = [
  ["a neighbour", "lib/state/diff.ts", 'import { x } from "./fact.ts";', []],
  ["an arrow of the picture", "lib/kernel/linux.ts", 'import type { Op } from "#lib/state/diff.ts";', []],
  [
    "a decision that reaches for an edge",
    "lib/attach/ptp/ptp.ts",
    'import type { Kernel } from "#lib/kernel/kernel.ts";',
    ["lib/attach/ptp/ptp.ts: lib/attach may not import lib/kernel/kernel.ts"],
  ],
  [
    "an edge that reaches for another, by a relative path and at run time",
    "lib/store/sqlite.ts",
    'const api = await import("../api/server.ts");',
    ["lib/store/sqlite.ts: lib/store may not import lib/api/server.ts"],
  ],
  [
    "a decision that opens files",
    "lib/ipam/ipam.ts",
    'import { readFileSync } from "node:fs";',
    ["lib/ipam/ipam.ts: lib/ipam may not import node:fs"],
  ],
  [
    "a package that the area has no need of",
    "lib/cni/result.ts",
    'export * from "@grpc/grpc-js";',
    ["lib/cni/result.ts: lib/cni may not import @grpc/grpc-js"],
  ],
  ["a comment", "lib/cni/result.ts", '/** from "koffi" */\n  // import "koffi"\n', []],
  ["a new folder", "lib/utils/x.ts", "", ['lib/utils/x.ts: the picture has no area "lib/utils"']],
  ["a new top folder", "src/x.ts", "", ['src/x.ts: the picture has no area "src"']],
];

test.each(samples)("%s", (_why, path, text, expected) => {
  expect(violations(path, withoutComments(text))).toEqual(expected);
});
