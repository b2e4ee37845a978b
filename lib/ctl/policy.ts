/** Network policies: which rule decides, what was decided, and which there are. */
import { Admin, type PolicyAnswer, type PolicyList, type VerdictList } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Answer, type Ask, type Command, EXIT, type Given, UsageError } from "./command.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

const DEEDS = ["trace", "verdicts", "list"] as const;
type Deed = (typeof DEEDS)[number];

export const policy: Command = {
  summary: "Who may send to whom, and which policy says so.",
  usage: "DEED [FROM TO [PORT]]",
  fewestWords: 1,
  mostWords: 4,
  choices: DEEDS,
  options: { denied: { meaning: "verdicts: only what was denied" } },
  run(ask, given) {
    const [deed, ...more] = given.words;
    if (deed !== "trace" && more.length > 0) throw new UsageError(`\`selvedgectl policy ${deed}\` takes nothing more`);
    if (deed !== "verdicts" && given.flag("denied"))
      throw new UsageError("--denied is for `selvedgectl policy verdicts`");
    return run[deed as Deed](ask, given);
  },
};

const run: Readonly<Record<Deed, (ask: Ask, given: Given) => Promise<Answer>>> = {
  async trace(ask, { words: [, from = "", to = "", port] }) {
    if (to === "")
      throw new UsageError("`selvedgectl policy trace` needs two ends: pods as namespace/name, or addresses");
    const answer = await ask(Admin.tracePolicy, { from, to, ...packetOf(port) });
    return {
      json: answer,
      lines: (style) => answerLines(answer, style),
      exit: answer.verdict === "accept" ? EXIT.ok : EXIT.ailing,
    };
  },
  async verdicts(ask, { flag }) {
    const found = await ask(Admin.listVerdicts, { verdict: flag("denied") ? "deny" : "" });
    return { json: found, lines: (style, width) => verdictLines(found, style, width) };
  },
  async list(ask) {
    const found = await ask(Admin.listPolicies, {});
    return {
      json: found,
      lines: (style, width) => listLines(found, style, width),
      exit: found.mistakes.length === 0 ? EXIT.ok : EXIT.ailing,
    };
  },
};

/** `80`, `udp/53`; nothing: a packet without ports. */
function packetOf(text: string | undefined): { protocol: string; port: number } {
  if (text === undefined) return { protocol: "", port: 0 };
  const [, protocol = "tcp", digits = ""] = /^(?:(tcp|udp|sctp)\/)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === "" || port < 1 || port > 65_535)
    throw new UsageError(`${JSON.stringify(text)} is not a port such as 80 or udp/53`);
  return { protocol, port };
}

const colourOf = (verdict: string, style: Style) => (verdict === "accept" ? style.green : style.red);

const answerLines = ({ verdict, audit, sides, notes }: PolicyAnswer, style: Style): string[] => [
  `${colourOf(verdict, style)(printable(verdict))}${audit && verdict !== "accept" ? ", and goes on: audit" : ""}`,
  ...sides.map((side) => `  ${side.direction} of ${printable(side.pod)}: ${side.verdict}: ${printable(side.because)}`),
  ...notes.map((note) => style.yellow(printable(note))),
];

const verdictLines = ({ flows, audit }: VerdictList, style: Style, width: number): string[] => [
  ...(audit ? [style.yellow("audit: what is denied goes on")] : []),
  ...(flows.length === 0
    ? ["no flow of the last ten minutes of which a policy speaks"]
    : table(
        [
          { heading: "FROM" },
          { heading: "TO" },
          { heading: "PORT" },
          { heading: "VERDICT" },
          { heading: "PACKETS", right: true },
          { heading: "BECAUSE NOW", cut: true },
        ],
        flows.map((flow) => [
          flow.from,
          flow.to,
          `${flow.protocol}/${flow.port}`,
          { text: flow.verdict, paint: colourOf(flow.verdict, style) },
          String(flow.packets),
          flow.because,
        ]),
        style,
        width,
      )),
];

const listLines = ({ policies, mistakes, audit, elements }: PolicyList, style: Style, width: number): string[] => [
  ...mistakes.map(({ object, message }) => style.red(printable(`${object}: ${message}`))),
  ...(audit ? [style.yellow("audit: what is denied goes on")] : []),
  ...(policies.length === 0
    ? ["no policies"]
    : table(
        [
          { heading: "POLICY" },
          { heading: "TIER" },
          { heading: "PRIORITY", right: true },
          { heading: "RULES", right: true },
          { heading: "PODS HERE", cut: true },
        ],
        policies.map((each) => [
          each.name,
          each.tier,
          each.tier === "network" ? "" : String(each.priority),
          String(each.rules),
          each.pods.join(" "),
        ]),
        style,
        width,
      )),
  `${counted(elements, "element")} in the kernel`,
];
