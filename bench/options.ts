/** What a run does, and where it writes. */
import { parseArgs } from "node:util";
import type { Amounts } from "./reservations.ts";
import type { Wanted } from "./storm.ts";
import type { SubjectName } from "./subjects.ts";

export interface Options {
  readonly jsonFile: string;
  /** Nothing is measured but the subjects, alone. */
  readonly isPartial: boolean;
  /** Subjects that are measured alone, in the order of a round. */
  readonly subjects: readonly SubjectName[];
  readonly rounds: number;
  readonly storms: readonly Wanted[];
  readonly levels: readonly number[];
  /** ADDs and DELs at each level, on each way. */
  readonly samples: number;
  readonly reservations: Amounts;
}

const SUBJECTS: readonly SubjectName[] = [
  "selvedge full",
  "chain bridge",
  "selvedge plain",
  "ptp bare",
  "selvedge dual",
  "bridge bare",
  "selvedge bridge",
  "bridge masq",
  "selvedge planes",
  "ptp planes",
  "selvedge macvlan",
  "macvlan bare",
  "selvedge ipvlan",
  "ipvlan bare",
  "selvedge probed",
  "chain ptp",
  "chain dual",
];

/** The chain takes a quarter of a second for each pod and more with every pod: it gets fewer. */
const STORMS: readonly Wanted[] = [
  { subject: "selvedge full", pods: 100, atOnce: 1 },
  { subject: "ptp bare", pods: 100, atOnce: 1 },
  { subject: "chain bridge", pods: 40, atOnce: 1 },
  { subject: "selvedge full", pods: 500, atOnce: 1 },
  { subject: "selvedge full", pods: 100, atOnce: 8 },
  { subject: "ptp bare", pods: 100, atOnce: 8 },
  { subject: "chain bridge", pods: 100, atOnce: 8 },
  { subject: "selvedge full", pods: 500, atOnce: 8 },
  { subject: "selvedge full", pods: 100, atOnce: 32 },
  { subject: "ptp bare", pods: 100, atOnce: 32 },
  { subject: "chain bridge", pods: 100, atOnce: 32 },
  { subject: "selvedge full", pods: 500, atOnce: 32 },
  { subject: "ptp bare", pods: 500, atOnce: 32 },
];

/** For a first look: too few for a p99. */
const QUICK_STORMS: readonly Wanted[] = [
  { subject: "selvedge full", pods: 32, atOnce: 1 },
  { subject: "chain bridge", pods: 8, atOnce: 1 },
  { subject: "selvedge full", pods: 100, atOnce: 32 },
  { subject: "ptp bare", pods: 100, atOnce: 32 },
  { subject: "chain bridge", pods: 32, atOnce: 32 },
];

export const HELP = `npm run bench -- [--quick] [--only SUBJECT,…] [--json FILE]

  --quick         small counts, about a minute; the figures are rough
  --only SUBJECT  these only, alone, such as --only "selvedge macvlan,macvlan bare"; what needs others is not judged
  --json FILE     where the measurements go (bench/results/DATE.json)
  --help          this text

Subjects: ${SUBJECTS.join(", ")}.
`;

/** Undefined when only help is wanted. @param file takes the measurements unless the words name another. @throws TypeError for an unknown option or subject */
export function parseOptions(argv: readonly string[], file: string): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean" },
      only: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return undefined;
  const jsonFile = values.json ?? file;
  const rest = { jsonFile, isPartial: values.only !== undefined, subjects: namedIn(values.only) };
  return values.quick === true
    ? {
        ...rest,
        rounds: 12,
        storms: QUICK_STORMS,
        levels: [0, 250],
        samples: 12,
        reservations: { many: 1_000, turns: 2, samples: 8 },
      }
    : {
        ...rest,
        rounds: 100,
        storms: STORMS,
        levels: [0, 250, 500, 1_000],
        samples: 30,
        reservations: { many: 1_000, turns: 5, samples: 12 },
      };
}

function namedIn(list: string | undefined): readonly SubjectName[] {
  if (list === undefined) return SUBJECTS;
  return list.split(",").map((given) => {
    const found = SUBJECTS.find((name) => name === given.trim());
    if (found === undefined) throw new TypeError(`--only: ${given} is no subject; they are ${SUBJECTS.join(", ")}`);
    return found;
  });
}
