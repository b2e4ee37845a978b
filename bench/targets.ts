/** The figures that Selvedge has to reach, each from one run's medians. */
import type { Alone, Floor, Growth, Inside, Measured, Storm } from "./measured.ts";
import type { Shape } from "./sample.ts";
import type { SubjectName } from "./subjects.ts";

export interface Verdict {
  readonly what: string;
  readonly value: number;
  /** `x`: a ratio. */
  readonly unit: "x" | "ms" | "MiB";
  readonly limit: number;
  readonly bound: "most" | "least";
  readonly holds: boolean;
}

export interface Goal<M> extends Omit<Verdict, "value" | "holds"> {
  from(measured: M): number;
  /** Not every kernel has what it takes. */
  readonly mayLack?: true;
}

const goals: readonly Goal<Measured>[] = [
  ratio("ADD: selvedge full / chain bridge (IPv4)", 0.15, (m) => add(m, "selvedge full") / add(m, "chain bridge")),
  ratio("ADD: selvedge full / chain dual", 0.15, (m) => add(m, "selvedge full") / add(m, "chain dual")),
  ratio("ADD: selvedge full / ptp bare", 1, (m) => add(m, "selvedge full") / add(m, "ptp bare")),
  ratio("DEL: selvedge full / chain bridge (IPv4)", 0.1, (m) => del(m, "selvedge full") / del(m, "chain bridge")),
  ratio("DEL: selvedge full / chain dual", 0.1, (m) => del(m, "selvedge full") / del(m, "chain dual")),
  ratio("DEL: selvedge full / ptp bare", 0.5, (m) => del(m, "selvedge full") / del(m, "ptp bare")),
  ratio("ADD: selvedge planes / selvedge plain", 1.5, (m) => add(m, "selvedge planes") / add(m, "selvedge plain")),
  ratio("ADD: selvedge planes / ptp planes", 0.4, (m) => add(m, "selvedge planes") / add(m, "ptp planes")),
  ratio("ADD: selvedge macvlan / macvlan bare", 1, (m) => add(m, "selvedge macvlan") / add(m, "macvlan bare")),
  {
    ...ratio("ADD: selvedge ipvlan / ipvlan bare", 1, (m) => add(m, "selvedge ipvlan") / add(m, "ipvlan bare")),
    mayLack: true,
  },
  ratio("ADD: at most pods / at none", 1.15, (m) => last(m.growth).add.p50 / first(m.growth).add.p50),
  ratio("ADD: 1,000 names with reservations / none", 1.1, (m) => mostReserved(m) / first(m.reservations).add.p50),
  {
    what: "daemon's share of ADD, selvedge full",
    unit: "ms",
    limit: 2,
    bound: "most",
    from: (m) => inside(m, "selvedge full").whole.p50 / 1_000,
  },
  ratio(
    "kernel work: selvedge dual / raw messages",
    1.5,
    (m) => inside(m, "selvedge dual").kernel.p50 / raw(m, "dual"),
  ),
  ratio(
    "kernel work: selvedge full / raw messages",
    1.5,
    (m) => inside(m, "selvedge full").kernel.p50 / raw(m, "full"),
  ),
  {
    what: "ADDs a second, 32 at once: selvedge full / chain bridge",
    unit: "x",
    limit: 8,
    bound: "least",
    from: (m) => fastest(m, "selvedge full").addsPerSecond / fastest(m, "chain bridge").addsPerSecond,
  },
  {
    what: "RSS of the daemon with most attachments",
    unit: "MiB",
    limit: 130,
    bound: "most",
    from: ({ memory: { attachments, full } }) => found("attachments", attachments > 0 ? full.rssMib : undefined),
  },
];

/**
 * @param isPartial goals are left out of which something was not measured
 * @throws RangeError naming what was not measured
 */
export const verdicts = (measured: Measured, isPartial = false): Verdict[] => judged(goals, measured, isPartial);

/** The same for the goals of another benchmark. */
export const judged = <M>(goals: readonly Goal<M>[], measured: M, isPartial = false): Verdict[] =>
  goals.flatMap(({ from, mayLack, ...goal }) => {
    try {
      const value = from(measured);
      return [{ ...goal, value, holds: goal.bound === "most" ? value <= goal.limit : value >= goal.limit }];
    } catch (error) {
      if ((isPartial || mayLack === true) && error instanceof RangeError) return [];
      throw error;
    }
  });

function ratio(what: string, limit: number, from: Goal<Measured>["from"]): Goal<Measured> {
  return { what, unit: "x", limit, bound: "most", from };
}

function found<T>(what: string, value: T | undefined): T {
  if (value === undefined) throw new RangeError(`nothing was measured: ${what}`);
  return value;
}

const aloneOf = ({ alone }: Measured, name: SubjectName): Alone =>
  found(
    name,
    alone.find(({ subject }) => subject === name),
  );
const add = (measured: Measured, name: SubjectName): number => aloneOf(measured, name).add.p50;
const del = (measured: Measured, name: SubjectName): number => aloneOf(measured, name).del.p50;
const first = <T>(rows: readonly T[]): T => found("the first row", rows[0]);
/** The slower of a pod that has one of them and a pod that has none. */
const mostReserved = ({ reservations }: Measured): number =>
  Math.max(...reservations.slice(1).map(({ add }) => add.p50));
const last = (growth: readonly Growth[]): Growth => found("growth", growth.at(-1));
const inside = (measured: Measured, name: SubjectName): Inside =>
  found(
    `inside ${name}`,
    measured.inside.find(({ subject }) => subject === name),
  );
const floorOf = ({ floor }: Measured, wanted: Shape): Floor =>
  found(
    `floor ${wanted}`,
    floor.find(({ shape }) => shape === wanted),
  );
const raw = (measured: Measured, shape: Shape): number => floorOf(measured, shape).raw.p50;

/** The largest of the subject's storms with most pods at once. */
function fastest({ storms }: Measured, name: SubjectName): Storm {
  const own = storms.filter(({ subject }) => subject === name);
  return found(`storm of ${name}`, own.toSorted((a, b) => b.atOnce - a.atOnce || b.pods - a.pods)[0]);
}
