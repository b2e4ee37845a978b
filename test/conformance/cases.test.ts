/** Every case in its versions: against our plugin in both attachment types, and against the reference where it applies. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { allCases, applies, casesOf, versionsOf } from "../../conformance/case.ts";
import { makeNode, type Node } from "../../conformance/node.ts";
import { play } from "../../conformance/play.ts";
import { REFERENCES, referenceBin } from "../../conformance/reference.ts";
import { OURS } from "../../conformance/selvedge.ts";
import type { Described, Subject, Version } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";

const top = join(import.meta.dirname, "..", "..");
const tools = [{ program: "nft" }, { program: "ip" }, { program: "ping" }, { file: "/usr/bin/python3" }] as const;
const ours = needing(
  "root",
  ...tools,
  { file: join(top, "dist", "selvedge") },
  { file: join(top, "cmd", "daemon.ts") },
);
const reference = needing("root", ...tools, { file: join(referenceBin(), "bridge") });
const cases = allCases();

/** @param pick the versions to run, of those that a case and the subject have in common */
function suite(described: Described, runner: typeof ours, pick: (of: readonly Version[]) => readonly Version[]): void {
  describe(described.name, () => {
    let directory: string;
    let node: Node;
    let subject: Subject;
    beforeAll(async () => {
      if (runner === test.skip) return;
      directory = await mkdtemp(join(tmpdir(), "cases-"));
      node = await makeNode("cases");
      subject = await described.open(node, directory);
    }, 300_000);
    afterAll(async () => {
      await subject?.[Symbol.asyncDispose]();
      await node?.[Symbol.asyncDispose]();
      if (directory) await rm(directory, { recursive: true });
    });
    const runs = cases
      .filter((one) => applies(one, described.traits))
      .flatMap((one) =>
        pick(versionsOf(one, described)).map((version) => [`${version}: ${one.name}`, version, one] as const),
      );
    runner.each(runs)(
      "%s",
      async (_name, version, one) => expect(await play(one, version, { node, subject })).toBeUndefined(),
      60_000,
    );
  });
}

// In the guest of test/vm, which is slow, the newest version of each case, and no reference: it is the kernel that is looked at.
const inGuest = process.env.SELVEDGE_VM !== undefined;
for (const described of OURS) suite(described, ours, (versions) => (inGuest ? versions.slice(-1) : versions));
// The reference is here to check the suite: the first and the last version do.
for (const described of inGuest ? [] : REFERENCES)
  suite(described, reference, (versions) => versions.filter((version, at, all) => at === 0 || version === all.at(-1)));

test("every case applies to one of our subjects", () => {
  expect(cases.filter((one) => !OURS.some(({ traits }) => applies(one, traits)))).toEqual([]);
});

test("files of cases are checked", () => {
  expect(() => casesOf("[]", "x.json")).toThrow("x.json holds no cases");
  expect(() => casesOf('[{"name":"n","steps":[]}]', "x.json")).toThrow("not a case");
  expect(() => casesOf('[{"name":"n","needs":["wings"],"steps":[{}]}]', "x.json")).toThrow("nobody knows wings");
});
