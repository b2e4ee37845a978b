import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { run } from "./further.ts";

test("what was measured is written with what was judged", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "further-")), "results", "x.json");
  const asked: [state: string, isQuick: boolean][] = [];
  await run(
    {
      name: "trial",
      quick: "little",
      measure: async (state, isQuick) => {
        asked.push([state, isQuick]);
        return { pods: 3 };
      },
      verdicts: ({ pods }) => [{ what: "pods", value: pods, unit: "x", limit: 2, bound: "most", holds: false }],
      report: () => "pods",
    },
    ["/state", "--quick", "--json", file],
  );
  expect(asked).toEqual([["/state", true]]);
  expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
    pods: 3,
    targets: [{ what: "pods", value: 3, unit: "x", limit: 2, bound: "most", holds: false }],
  });
});
