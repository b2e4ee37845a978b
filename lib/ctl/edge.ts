/** The routers at the edge of the cluster: what they have of us, and what happens to it. */
import { isFailure } from "#lib/errors.ts";
import {
  Admin,
  type BgpSession,
  type Finding,
  type Push,
  type RolledBack,
  type Router,
  type RouterPlan,
} from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Answer, type Ask, type Command, EXIT, type Given, UsageError } from "./command.ts";
import { findingLines } from "./doctor.ts";
import { operation } from "./plan.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

const DEEDS = ["status", "diff", "plan", "apply", "history", "rollback", "pause", "resume", "doctor"] as const;
type Deed = (typeof DEEDS)[number];

export const edge: Command = {
  summary: "Routers that follow the cluster, and what they have of it.",
  usage: "DEED [ROUTER] [REVISION]",
  fewestWords: 1,
  mostWords: 3,
  choices: DEEDS,
  options: {
    all: { meaning: "rollback: nothing of ours stays; of all routers when none is named" },
    why: { value: "TEXT", meaning: "pause: what others are told" },
  },
  run(ask, given) {
    const deed = given.words[0] as Deed;
    if (deed !== "rollback" && given.words[2] !== undefined)
      throw new UsageError(`\`selvedgectl edge ${deed}\` takes no revision`);
    if (deed !== "rollback" && given.flag("all")) throw new UsageError("--all is for `selvedgectl edge rollback`");
    if (deed !== "pause" && given.value("why") !== "") throw new UsageError("--why is for `selvedgectl edge pause`");
    return run[deed](ask, given);
  },
};

function named({ words: [deed, name] }: Given): string {
  if (name === undefined) throw new UsageError(`\`selvedgectl edge ${deed}\` needs the name of a router`);
  return name;
}

/** What was heard of each router, and of which nothing was. */
interface Heard<T> {
  readonly routers: readonly T[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
}

/** Of the one that is named, or of all: what one of them says holds up no other. @throws SelvedgeError of the one that is named */
async function ofEach<T>(ask: Ask, { words: [, one] }: Given, of: (name: string) => Promise<T>): Promise<Heard<T>> {
  if (one !== undefined) return { routers: [await of(one)], failed: [] };
  const routers: T[] = [];
  const failed: { name: string; message: string }[] = [];
  for (const { name } of (await ask(Admin.listRouters, {})).routers)
    try {
      routers.push(await of(name));
    } catch (error) {
      if (!isFailure(error)) throw error;
      failed.push({ name, message: error.message });
    }
  return { routers, failed };
}

/** `failed` is there where some did. */
const jsonOf = <T>({ routers, failed }: Heard<T>) => ({ routers, ...(failed.length === 0 ? {} : { failed }) });
const failedLines = ({ failed }: Pick<Heard<unknown>, "failed">, style: Style): string[] =>
  failed.map(({ name, message }) => style.red(`${printable(name)}: ${printable(message)}`));
const exitOf = ({ failed }: Pick<Heard<unknown>, "failed">) => (failed.length === 0 ? {} : { exit: EXIT.failed });

const plans = (ask: Ask, given: Given): Promise<Heard<{ name: string; plan: RouterPlan }>> =>
  ofEach(ask, given, async (name) => ({ name, plan: await ask(Admin.planRouter, { name }) }));

/** Of a router that was pushed to when a person asked for that. */
const PUSHED: ReadonlySet<string> = new Set(["in-sync", "conflict"]);

const statesOf = (states: readonly Router[]): Answer => ({
  json: { routers: states },
  lines: (style, width) => statusLines(states, style, width),
});

const run: Readonly<Record<Deed, (ask: Ask, given: Given) => Promise<Answer>>> = {
  async status(ask, { words: [, name] }) {
    const { routers: all } = await ask(Admin.listRouters, {});
    const chosen = all.filter((router) => name === undefined || router.name === name);
    if (name !== undefined && chosen.length === 0) throw new UsageError(`there is no router ${JSON.stringify(name)}`);
    return statesOf(chosen);
  },
  async diff(ask, given) {
    const all = await plans(ask, given);
    return {
      json: jsonOf(all),
      lines: (style) => [
        ...all.routers.flatMap(({ name, plan }) => [
          style.bold(name),
          ...plan.commands.map((command) => operation(command.replace(/^set /, "+ ").replace(/^delete /, "- "), style)),
          ...plan.conflicts.map((each) => style.red(`! ${printable(each)}`)),
          ...plan.intruders.map((each) => style.yellow(`? ${printable(each)} is somebody else's`)),
          ...(plan.commands.length + plan.conflicts.length + plan.intruders.length === 0 ? ["as it should be"] : []),
        ]),
        ...failedLines(all, style),
      ],
      ...exitOf(all),
    };
  },
  async plan(ask, given) {
    const all = await plans(ask, given);
    return {
      json: jsonOf(all),
      lines: (style) => [
        ...all.routers.flatMap(({ name, plan }) =>
          plan.commands.length === 0 ? [`# ${name}: nothing to do`] : [`# ${name}`, ...plan.commands.map(printable)],
        ),
        ...failedLines(all, style),
      ],
      ...exitOf(all),
    };
  },
  async apply(ask, given) {
    const state = await ask(Admin.applyRouter, { name: named(given) });
    return { ...statesOf([state]), ...(PUSHED.has(state.phase) ? {} : { exit: EXIT.failed }) };
  },
  async history(ask, given) {
    const { pushes } = await ask(Admin.listPushes, { name: named(given) });
    return {
      json: { pushes },
      lines: (style) =>
        pushes.length === 0 ? ["nothing was pushed"] : pushes.flatMap((push) => pushLines(push, style)),
    };
  },
  async rollback(ask, given) {
    const revision = revisionOf(given);
    if (!given.flag("all")) named(given);
    const done: Heard<RolledBack> = await ofEach(ask, given, (name) => ask(Admin.rollBackRouter, { name, revision }));
    const lost = done.routers.flatMap((each) => each.lost);
    return {
      json: jsonOf(done),
      lines: (style, width) => [
        ...statusLines(
          done.routers.flatMap(({ router }) => router ?? []),
          style,
          width,
        ),
        ...lost.map((line) => style.yellow(`not set again, a secret: ${printable(line)}`)),
        ...failedLines(done, style),
      ],
      ...exitOf(done),
    };
  },
  pause: async (ask, given) =>
    statesOf([await ask(Admin.pauseRouter, { name: named(given), why: given.value("why") })]),
  resume: async (ask, given) => statesOf([await ask(Admin.pauseRouter, { name: named(given), resume: true })]),
  async doctor(ask, given) {
    const all: Heard<{ name: string; findings: readonly Finding[] }> = await ofEach(ask, given, async (name) => ({
      name,
      findings: (await ask(Admin.examineRouter, { name })).findings,
    }));
    const isAiling = all.routers.some(({ findings }) => findings.some(({ level }) => level === "problem"));
    return {
      json: jsonOf(all),
      lines: (style) => [
        ...all.routers.flatMap(({ name, findings }) => [
          style.bold(name),
          ...findings.flatMap((finding) => findingLines(finding, style)),
        ]),
        ...failedLines(all, style),
      ],
      ...(isAiling ? { exit: EXIT.ailing } : exitOf(all)),
    };
  },
};

function revisionOf({ words: [, , text], flag }: Given): number {
  if (flag("all")) {
    if (text !== undefined) throw new UsageError("either a revision or --all");
    return 0;
  }
  const revision = Number(text);
  if (text === undefined || !Number.isSafeInteger(revision) || revision < 0)
    throw new UsageError("`selvedgectl edge rollback` needs a router and a revision of its history, or --all");
  return revision;
}

function statusLines(states: readonly Router[], style: Style, width: number): string[] {
  if (states.length === 0) return ["no routers"];
  return [
    ...table(
      [
        { heading: "ROUTER" },
        { heading: "FROM" },
        { heading: "PHASE" },
        { heading: "VYOS" },
        { heading: "WRITER" },
        { heading: "PATHS", right: true },
        { heading: "REVISION", right: true },
        { heading: "IN SYNC" },
        { heading: "MESSAGE", cut: true },
      ],
      states.map((one) => [
        one.name,
        one.object ? "object" : "file",
        one.role === "" ? one.phase : `${one.phase}, ${one.role}`,
        one.version,
        one.writer,
        String(one.owned),
        String(one.revision),
        one.inSync,
        one.message,
      ]),
      style,
      width,
    ),
    ...states.flatMap(({ name, sessions }) => sessions.map((session) => sessionLine(name, session, style))),
    ...states.flatMap(({ conflicts }) => conflicts.map((each) => style.red(`conflict: ${printable(each)}`))),
    ...states.flatMap(({ refused }) => refused.map((each) => style.red(`refused: ${printable(each)}`))),
  ];
}

function sessionLine(router: string, { address, state, sent, received }: BgpSession, style: Style): string {
  const isUp = state === "Established";
  const line = `BGP with ${router} at ${address}: ${printable(state)}${isUp ? `, ${sent} prefixes told, ${received} heard` : ""}`;
  return isUp ? line : style.red(line);
}

function pushLines({ revision, at, tookMs, by, why, result, message, lines }: Push, style: Style): string[] {
  return [
    style.bold(
      `revision ${revision}, ${at}, by ${by}, ${why}: ${result} after ${tookMs} ms, ${counted(lines.length, "path")}`,
    ),
    ...(message === "" ? [] : [printable(message)]),
    ...lines.map((line) => operation(line, style)),
  ];
}
