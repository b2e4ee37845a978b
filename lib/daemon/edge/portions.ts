/** What a router takes at once. */
import type { Change } from "#lib/edge/change.ts";
import { type Line, longer, type Path } from "#lib/edge/path.ts";
import { stageOf } from "#lib/edge/stages.ts";
import type { Command } from "#lib/vyos/vyos.ts";

/** nginx on the router takes no request beyond `service https request-body-size-limit`, which is 1 MB unless its operator says otherwise. */
const LARGEST_BYTES = 1_000_000;

/**
 * One commit, unless it is thousands of commands. Each of several holds by itself: a piece is in one of them, what others stand
 * on comes before them and goes after them, and what is new is there before anything goes: what would take over a VRF's table or
 * a VRID of what goes is refused, and would not be in one commit. A piece larger than a request is one all the same: perhaps
 * this router takes it.
 */
export function portions(change: Change, largestBytes = LARGEST_BYTES): Command[][] {
  const deletes = change.deletes.map((path) => ({ op: "delete", path }) as const);
  const sets = change.sets.map((path) => ({ op: "set", path }) as const);
  const commands: Command[] = [...deletes, ...sets];
  if (commands.length === 0) return [];
  if (bytesOf(commands) <= largestBytes) return [commands];
  const all: Command[][] = [];
  let left = 0;
  for (const unit of inOrder(unitsOf(commands, change))) {
    const bytes = bytesOf(unit.commands);
    if (bytes > left) {
      all.push([]);
      left = largestBytes;
    }
    all.at(-1)?.push(...unit.commands);
    left -= bytes;
  }
  return all;
}

/** What is not to be torn apart. */
interface Unit {
  readonly commands: Command[];
  readonly stage: number;
}

/** By piece; a load balancer is two, neither of which VyOS takes alone; what is deleted above pieces is one of its own. */
function unitsOf(commands: readonly Command[], { steps }: Change): Unit[] {
  const places = new Set(steps.map(({ at }) => at));
  const units = new Map<string, Unit>();
  for (const command of commands) {
    const place = balancerOf(command.path) ?? placeOf(command.path, places);
    const unit = units.get(place) ?? { commands: [], stage: stageOf(command.path) };
    unit.commands.push(command);
    units.set(place, unit);
  }
  return [...units.values()];
}

/** A service and its backend, which have one name (conf_mode/load-balancing_haproxy.py, verify). */
function balancerOf([section, kind, of = "", name]: Path): string | undefined {
  const isOne = section === "load-balancing" && ["service", "backend"].includes(of) && name !== undefined;
  return isOne ? `${section} ${kind} ${name}` : undefined;
}

/** Of the first of `places` that the path is at or below; its own line where it is in none. */
function placeOf(path: Path, places: ReadonlySet<Line>): Line {
  let line = "" as Line;
  for (const [i, word] of path.entries()) {
    line = longer(line, word, path[i - 1]);
    if (places.has(line)) return line;
  }
  return line;
}

const inOrder = (units: readonly Unit[]): Unit[] => [
  ...units.filter(isMade).sort((a, b) => a.stage - b.stage),
  ...units.filter((unit) => !isMade(unit)).sort((a, b) => b.stage - a.stage),
];

const isMade = ({ commands }: Unit): boolean => commands.some(({ op }) => op === "set");

/** As parts of a form, with what stands between two. */
const bytesOf = (commands: readonly Command[]): number =>
  commands.reduce((sum, each) => sum + new URLSearchParams({ ",": JSON.stringify(each) }).toString().length, 0);
