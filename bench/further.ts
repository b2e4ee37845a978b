/** What the benchmarks besides `npm run bench` itself have in common. */
import { parseArgs } from "node:util";
import { resultsFile, tell } from "./findings.ts";
import type { Verdict } from "./targets.ts";

export interface Further<Measured> {
  /** `npm run bench -- NAME` */
  readonly name: string;
  /** What `--quick` makes of it. */
  readonly quick: string;
  /** @param state a directory for everything that programs keep */
  measure(state: string, isQuick: boolean): Promise<Measured>;
  verdicts(measured: Measured): readonly Verdict[];
  report(measured: Measured, verdicts: readonly Verdict[]): string;
}

/** Runs it as `[STATE, ...OPTIONS]` say. @throws TypeError for an unknown option */
export async function run<Measured extends object>(
  { name, quick, measure, verdicts, report }: Further<Measured>,
  [state = "", ...args]: readonly string[],
): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { quick: { type: "boolean" }, json: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return void process.stdout.write(help(name, quick));
  const measured = await measure(state, values.quick === true);
  const judged = verdicts(measured);
  tell(measured, judged, report(measured, judged), values.json ?? resultsFile(`${name}-`));
}

const help = (name: string, quick: string) => `npm run bench -- ${name} [--quick] [--json FILE]

  --quick      ${quick}
  --json FILE  where the measurements go (bench/results/${name}-DATE.json)
  --help       this text
`;
