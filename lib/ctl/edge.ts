/** The routers at the edge of the cluster: what they have of us, and what happens to it. */
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

/** Those that are named, or all. */
async function routers(ask: Ask, { words: [, name] }: Given): Promise<string[]> {
  return name === undefined ? (await ask(Admin.listRouters, {})).routers.map((each) => each.name) : [name];
}

function named({ words: [deed, name] }: Given): string {
  if (name === undefined) throw new UsageError(`\`selvedgectl edge ${deed}\` needs the name of a router`);
  return name;
}

async function plans(ask: Ask, given: Given): Promise<{ name: string; plan: RouterPlan }[]> {
  const all: { name: string; plan: RouterPlan }[] = [];
  for (const name of await routers(ask, given)) all.push({ name, plan: await ask(Admin.planRouter, { name }) });
  return all;
}

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
      json: { routers: all },
      lines: (style) =>
        all.flatMap(({ name, plan }) => [
          style.bold(name),
          ...plan.commands.map((command) => operation(command.replace(/^set /, "+ ").replace(/^delete /, "- "), style)),
          ...plan.conflicts.map((each) => style.red(`! ${printable(each)}`)),
          ...plan.intruders.map((each) => style.yellow(`? ${printable(each)} is somebody else's`)),
          ...(plan.commands.length + plan.conflicts.length + plan.intruders.length === 0 ? ["as it should be"] : []),
        ]),
    };
  },
  async plan(ask, given) {
    const all = await plans(ask, given);
    return {
      json: { routers: all },
      lines: () =>
        all.flatMap(({ name, plan }) =>
          plan.commands.length === 0 ? [`# ${name}: nothing to do`] : [`# ${name}`, ...plan.commands.map(printable)],
        ),
    };
  },
  async apply(ask, given) {
    const state = await ask(Admin.applyRouter, { name: named(given) });
    return { ...statesOf([state]), ...(state.phase === "failing" ? { exit: EXIT.failed } : {}) };
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
    const names = given.flag("all") ? await routers(ask, given) : [named(given)];
    const done: RolledBack[] = [];
    for (const name of names) done.push(await ask(Admin.rollBackRouter, { name, revision }));
    const lost = done.flatMap((each) => each.lost);
    return {
      json: { routers: done },
      lines: (style, width) => [
        ...statusLines(
          done.flatMap(({ router }) => router ?? []),
          style,
          width,
        ),
        ...lost.map((line) => style.yellow(`not set again, a secret: ${printable(line)}`)),
      ],
    };
  },
  pause: async (ask, given) =>
    statesOf([await ask(Admin.pauseRouter, { name: named(given), why: given.value("why") })]),
  resume: async (ask, given) => statesOf([await ask(Admin.pauseRouter, { name: named(given), resume: true })]),
  async doctor(ask, given) {
    const all: { name: string; findings: readonly Finding[] }[] = [];
    for (const name of await routers(ask, given))
      all.push({ name, findings: (await ask(Admin.examineRouter, { name })).findings });
    return {
      json: { routers: all },
      lines: (style) =>
        all.flatMap(({ name, findings }) => [
          style.bold(name),
          ...findings.flatMap((finding) => findingLines(finding, style)),
        ]),
      exit: all.some(({ findings }) => findings.some(({ level }) => level === "problem")) ? EXIT.ailing : EXIT.ok,
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
