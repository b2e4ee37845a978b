/** The chart's values: each with a word on what it is for, and each known to the schema; its version is the program's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";

const TOP = join(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(join(TOP, "install/kubernetes", name), "utf8");

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}
const schema = JSON.parse(read("values.schema.json")) as Schema;
const values = parse(read("values.yaml")) as Record<string, unknown>;

/** `image.tag`, for every property that the schema names. */
const named = ({ properties = {} }: Schema, place = ""): [name: string, schema: Schema][] =>
  Object.entries(properties).flatMap(([key, each]) => [
    [`${place}${key}`, each] as [string, Schema],
    ...named(each, `${place}${key}.`),
  ]);

test.each(named(schema))("the schema says what %s is", (_name, { description }) =>
  expect(description).toMatch(/^[A-Z].+\.$/),
);

/** Of every chart of a release: Helm passes it on. */
const HELMS = "global";
const keys = (of: Schema): string[] => Object.keys(of.properties ?? {}).filter((key) => key !== HELMS);

test("the values are those of the schema, which knows no others", () => {
  expect(Object.keys(values).toSorted()).toEqual(keys(schema).toSorted());
  expect(schema.additionalProperties).toBe(false);
  const closed = Object.entries(schema.properties ?? {}).filter(([, each]) => each.additionalProperties === false);
  expect(closed.map(([name]) => name)).toEqual(["image", "apiServer", "cni"]);
  for (const [name, each] of closed) expect(Object.keys(values[name] as object)).toEqual(keys(each));
});

test("a comment stands above every value", () => {
  const lines = read("values.yaml").split("\n");
  const above = lines.flatMap((line, index) => (/^\w+:/.test(line) ? [[line, lines[index - 1]]] : []));
  expect(above).toHaveLength(keys(schema).length);
  for (const [line, before] of above) expect([line, before]).toEqual([line, expect.stringMatching(/^# ./)]);
});

test("it has the program's version", () => {
  const { version } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as { version: string };
  expect(parse(read("Chart.yaml"))).toMatchObject({ name: "selvedge", version, appVersion: version });
});

test("what has rights, and what is not lost with the release, is as without Helm", () => {
  expect(read("templates/store.yaml")).toContain('.Files.Get "store.yaml"');
  const definitions = read("store.yaml").match(/^kind: CustomResourceDefinition\nmetadata: .*$/gm) ?? [];
  expect(definitions.length).toBeGreaterThan(5);
  for (const definition of definitions) expect(definition).toContain("helm.sh/resource-policy: keep");
});
