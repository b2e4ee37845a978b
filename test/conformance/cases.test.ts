/** Every case in its versions: against our plugin in its attachment types, and against the reference where it applies. */
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { allCases, applies, casesOf, versionsOf } from "../../conformance/case.ts";
import { play } from "../../conformance/play.ts";
import { REFERENCES, referenceBin } from "../../conformance/reference.ts";
import { OURS } from "../../conformance/selvedge.ts";
import type { Described, Version } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { stage } from "./stage.ts";

const top = join(import.meta.dirname, "..", "..");
const tools = [{ program: "nft" }, { program: "ip" }, { program: "ping" }, { file: "/usr/bin/python3" }] as const;
const built = [{ file: join(top, "dist", "selvedge") }, { file: join(top, "cmd", "daemon.ts") }] as const;
const ours = ({ kernel }: Described) =>
  needing("root", ...tools, ...built, ...(kernel === undefined ? [] : [{ kernel }]));
const reference = needing("root", ...tools, { file: join(referenceBin(), "bridge") });
const cases = allCases();

type Runner = ReturnType<typeof needing>;

/** @param pick the versions to run, of those that a case and the subject have in common */
function suite(described: Described, runner: Runner, pick: (of: readonly Version[]) => readonly Version[]): void {
  describe(described.name, () => {
    const staged = stage(described, "cases", runner);
    const runs = cases
      .filter((one) => applies(one, described.traits))
      .flatMap((one) =>
        pick(versionsOf(one, described)).map((version) => [`${version}: ${one.name}`, version, one] as const),
      );
    runner.each(runs)(
      "%s",
      async (_name, version, one) => expect(await play(one, version, staged())).toBeUndefined(),
      60_000,
    );
  });
}

// In the guest of test/vm, which is slow, the newest version of each case, no reference, and of the types those that this
// machine may lack, and the two that most is asked of: it is the kernel that is looked at.
const inGuest = process.env.SELVEDGE_VM !== undefined;
const isForGuest = ({ kernel, traits }: Described) =>
  kernel !== undefined || (traits.includes("host-end") && traits.includes("own-ipam"));
for (const described of inGuest ? OURS.filter(isForGuest) : OURS)
  suite(described, ours(described), (versions) => (inGuest ? versions.slice(-1) : versions));
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
