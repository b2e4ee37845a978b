import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { NEEDS } from "#lib/attach/needs.ts";
import { toCni } from "#lib/cni/error.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { Failure, FailureKind } from "#lib/errors.ts";
import { FEATURES, type FeatureName, type FeatureRow } from "#lib/state/features.ts";
import { PICTURE } from "./support/picture.ts";
import { needing } from "./support/requirement.ts";

const top = dirname(import.meta.dirname);
const read = (path: string) => readFileSync(join(top, path), "utf8");
const readme = read("README.md");

/**
 * A block's info string is its language and, for shell blocks, where it runs:
 * `sh` alone is one of the commands for a fresh clone; `sh demo` runs on the node of install/demo-node.sh, `sh cluster`
 * beside the nodes of install/demo-cluster.sh.
 */
const blocks = Array.from(readme.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm), ([, info = "", text = ""]) => ({
  info,
  text,
}));
const blocksOf = (info: string) => blocks.filter((block) => block.info === info).map((block) => block.text);

/** The rows of the table that follows `heading`, each as its cells. */
function rows(heading: string): string[][] {
  const start = readme.indexOf(heading);
  const lines = readme.slice(start).split("\n");
  const first = lines.findIndex((line) => line.startsWith("|"));
  const table = lines.slice(first);
  const length = table.findIndex((line) => !line.startsWith("|"));
  return table.slice(2, length).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

test("every block is of a kind that a test looks at", () => {
  expect(new Set(blocks.map((block) => block.info))).toEqual(
    new Set(["sh", "sh demo", "sh cluster", "json conflist", "yaml"]),
  );
});

test("the commands for a fresh clone are what package.json and CI have", () => {
  const { scripts } = JSON.parse(read("package.json"));
  expect(blocksOf("sh")).toEqual(["npm run quickstart\n", "npm run quickstart -- --nodes 3\n", "npm test\n"]);
  expect(scripts.quickstart).toBe("bash install/quickstart.sh");
  expect(scripts.test).toBe("bash test/run.sh");
  expect(read(".ci/run")).toMatch(/^exec npm test( |$)/m);
});

test("the conflist is the one that is installed", () => {
  expect(blocksOf("json conflist")).toEqual([read("install/net.d/05-selvedge.conflist")]);
});

test("the configuration is one that the daemon takes", () => {
  const [config] = blocksOf("yaml").map((text) => parseConfig(text));
  expect([...(config?.networks.keys() ?? [])]).toEqual(["media"]);
  expect(config?.networks.get("media")).toMatchObject({
    attachment: "bridge",
    pools: ["media"],
    mtu: 9000,
    ipMasq: false,
  });
});

test("the folder table is the twin of the import picture", () => {
  const expected = Object.entries(PICTURE).map(([folder, { holds, from }]) => [
    `\`${folder}\``,
    holds,
    from.includes("*") ? "anything" : from.map((name) => `\`${name}\``).join(", ") || "nothing of ours",
  ]);
  expect(rows("<!-- picture -->")).toEqual(expected);
});

test("the table of kernel options is what doctor goes by", () => {
  const options = (needs: readonly FeatureName[]) =>
    needs.map((need) => {
      const { option, module }: FeatureRow = FEATURES[need];
      return module === undefined ? `\`${option}\`` : `\`${option}\` (${module})`;
    });
  const expected = [...NEEDS].map(([name, needs]) => [name, options(needs).join(", ") || "nothing"]);
  expect(rows("<!-- kernel -->")).toEqual(expected);
  expect(expected.length).toBeGreaterThan(0);
});

/** Complete by type: a new kind of failure does not compile until it stands here, and then in the README. */
const KINDS = Object.keys({
  "version-unsupported": 0,
  "unsupported-field": 0,
  "environment-invalid": 0,
  decode: 0,
  "config-invalid": 0,
  "own-namespace": 0,
  "not-ready": 0,
  "pool-exhausted": 0,
  deadline: 0,
  "namespace-gone": 0,
  "interface-exists": 0,
  "address-unavailable": 0,
  kernel: 0,
  store: 0,
  drift: 0,
  conflict: 0,
  rpc: 0,
  delegate: 0,
  router: 0,
  speaker: 0,
  "result-invalid": 0,
} satisfies Record<FailureKind, 0>);

test("the error catalogue has every kind of failure with its code", () => {
  const documented = rows("## When something fails").map(([code, kind]) => [code, kind]);
  expect(documented).toEqual(
    KINDS.map((kind) => [String(toCni({ kind, code: 0 } as unknown as Failure)), `\`${kind}\``]),
  );
});

/** What runs the blocks of a kind, and what it needs. */
const STAGES = [
  { info: "sh demo", script: "install/demo-node.sh", needs: [] },
  { info: "sh cluster", script: "install/demo-cluster.sh", needs: [{ program: "etcd" }] },
] as const;
const stages = STAGES.map(({ info, ...stage }) => ({ ...stage, info, texts: blocksOf(info) }));

test.each(stages)("there are blocks for $script", ({ texts }) => {
  expect(texts.length).toBeGreaterThan(0);
});

for (const { info, script, needs, texts } of stages)
  needing("root", { file: join(top, "dist/selvedged") }, ...needs).each(texts)(`${info}: %s`, async (text) => {
    const { stdout } = await promisify(execFile)("bash", [script, "bash", "-euc", text], {
      cwd: top,
      timeout: 60_000,
    });
    expect(stdout).not.toBe("");
  });
