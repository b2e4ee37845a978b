/** Every case in its versions: against our plugin in its attachment types, and against the reference where it applies. */
import { describe, expect, test } from "@jest/globals";
import { allCases, applies, type Case, casesOf, versionsOf } from "../../conformance/case.ts";
import { play } from "../../conformance/play.ts";
import { REFERENCES } from "../../conformance/reference.ts";
import { OURS } from "../../conformance/selvedge.ts";
import type { Described, Trait, Version } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { OURS_RUN, REFERENCE_RUN, stage } from "./stage.ts";

const tools = [{ program: "nft" }, { program: "ip" }, { program: "ping" }, { file: "/usr/bin/python3" }] as const;
const ours = ({ kernel }: Described) =>
  needing("root", ...tools, ...OURS_RUN, ...(kernel === undefined ? [] : [{ kernel }]));
const reference = needing("root", ...tools, REFERENCE_RUN);
const cases = allCases();

type Runner = ReturnType<typeof needing>;

interface Picked {
  /** Of the versions that a case and the subject have in common. */
  versions(of: readonly Version[]): readonly Version[];
  cases?(one: Case): boolean;
}

function suite(described: Described, runner: Runner, { versions, cases: isPicked = () => true }: Picked): void {
  describe(described.name, () => {
    const staged = stage(described, "cases", runner);
    const runs = cases
      .filter((one) => applies(one, described.traits) && isPicked(one))
      .flatMap((one) =>
        versions(versionsOf(one, described)).map((version) => [`${version}: ${one.name}`, version, one] as const),
      );
    runner.each(runs)(
      "%s",
      async (_name, version, one) => expect(await play(one, version, staged())).toBeUndefined(),
      60_000,
    );
  });
}

// In the guest of test/vm, which is slow, the newest version of each case and no reference, since it is the kernel that is
// looked at: all of the types that a machine may lack, and of the two that most is asked of what queues and filters do.
const inGuest = process.env.SELVEDGE_VM !== undefined;
const ASKED_OF_KERNEL: readonly Trait[] = ["bandwidth", "host-ports", "masquerade", "spoof-protection"];
const isForGuest = ({ kernel, traits }: Described) =>
  kernel !== undefined || (traits.includes("host-end") && traits.includes("own-ipam"));
const forGuest = ({ kernel }: Described): Picked => ({
  versions: (all) => all.slice(-1),
  cases: ({ needs = [] }) => kernel !== undefined || needs.some((need) => ASKED_OF_KERNEL.includes(need)),
});
for (const described of inGuest ? OURS.filter(isForGuest) : OURS)
  suite(described, ours(described), inGuest ? forGuest(described) : { versions: (all) => all });
// The reference is here to check the suite: the first and the last version do.
for (const described of inGuest ? [] : REFERENCES)
  suite(described, reference, { versions: (all) => all.filter((_, at) => at === 0 || at === all.length - 1) });

test("every case applies to one of our subjects", () => {
  expect(cases.filter((one) => !OURS.some(({ traits }) => applies(one, traits)))).toEqual([]);
});

test("files of cases are checked", () => {
  expect(() => casesOf("[]", "x.json")).toThrow("x.json holds no cases");
  expect(() => casesOf('[{"name":"n","steps":[]}]', "x.json")).toThrow("not a case");
  expect(() => casesOf('[{"name":"n","needs":["wings"],"steps":[{}]}]', "x.json")).toThrow("nobody knows wings");
});
