/** The protocol rows against our plugin in both attachment types, and against the reference, which checks the runner. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { problemsOf, type Row, rowsOf } from "../../conformance/protocol.ts";
import { REFERENCES } from "../../conformance/reference.ts";
import { OURS } from "../../conformance/selvedge.ts";
import type { Described } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { OURS_RUN, REFERENCE_RUN, stage } from "./stage.ts";

const top = join(import.meta.dirname, "..", "..");
const rows = rowsOf(await readFile(join(top, "..", "shared", "data", "cni-cases.json"), "utf8"));
const ours = needing("root", ...OURS_RUN);
const reference = needing("root", REFERENCE_RUN);

function suite(described: Described, runner: typeof ours, applies: (row: Row) => boolean): void {
  describe(described.name, () => {
    const staged = stage(described, "proto", runner);
    runner.each(rows.filter(applies).map((row) => [row.name, row] as const))("%s", async (_name, row) => {
      const { subject, node } = staged();
      expect(await problemsOf(row, { subject, namespace: node.node.namespace })).toEqual([]);
    });
  });
}

// Behind another plugin the rows would be that one's, and which type it is makes no difference beyond these.
for (const described of OURS.filter(({ traits }) => traits.includes("own-ipam") && traits.includes("host-end")))
  suite(described, ours, () => true);
// The bridge plugin makes its own interface: it does not pass a prevResult through, CHECK is nothing without one, and it
// cannot put an interface into the namespace that its bridge is in.
for (const described of REFERENCES.filter(({ name }) => name === "reference bridge"))
  suite(described, reference, ({ env, stdin, expect: { exit } }) => {
    const chained = env.CNI_COMMAND === "ADD" && stdin.includes("prevResult");
    const checked = env.CNI_COMMAND === "CHECK" && exit === 0;
    return !chained && !checked && env.CNI_NETNS_OVERRIDE === undefined;
  });

test("rows are rows", () => {
  expect(() => rowsOf('{"protocol":[]}')).toThrow("the file holds no protocol rows");
  expect(() => rowsOf('{"protocol":[{"name":"x"}]}')).toThrow("not a protocol row");
});
