import { Admin, type Path, type PathHop, type PathProbe } from "#proto/selvedge_pb.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

const WAIT_MS = 5_000;

export const path: Command = {
  summary: "Every device between two pods, and probes along them.",
  usage: "POD POD",
  fewestWords: 2,
  mostWords: 2,
  choices: [],
  options: { family: { value: "4|6", meaning: "of which addresses (the first that both pods have)" } },
  async run(ask, { words: [from = "", to = ""], value }) {
    const found = await ask(Admin.tracePath, { from, to, family: familyIn(value("family")), waitMs: WAIT_MS });
    return {
      json: found,
      lines: (style, width) => lines(found, style, width),
      exit: found.verdict === "reached" && found.advice.length === 0 ? EXIT.ok : EXIT.ailing,
    };
  },
};

/** 0: not said. */
function familyIn(text: string): number {
  if (text === "") return 0;
  if (text === "4" || text === "6") return Number(text);
  throw new UsageError(`--family: ${JSON.stringify(text)} is not 4 or 6`);
}

function lines({ hops, probes, verdict, advice, mtu, from, to }: Path, style: Style, width: number): string[] {
  return [
    `${from?.address ?? ""} to ${to?.address ?? ""}, packets of up to ${mtu} bytes`,
    "",
    ...table(
      [
        { heading: "NODE" },
        { heading: "AT" },
        { heading: "DEVICE" },
        { heading: "KIND" },
        { heading: "MTU", right: true },
        { heading: "MAY DROP", cut: true },
        { heading: "WHAT", cut: true },
      ],
      hops.map((hop) => [
        hop.node,
        hop.place,
        hop.missing.length > 0 ? { text: hop.device, paint: style.red } : hop.device,
        hop.kind,
        hop.mtu === 0 ? "" : String(hop.mtu),
        hop.checks.join(", "),
        hop.what,
      ]),
      style,
      width,
    ),
    ...hops.flatMap(missing).map((text) => style.red(text)),
    "",
    ...table(
      [{ heading: "PROBE" }, { heading: "OUTCOME" }, { heading: "BY" }, { heading: "RTT", right: true }],
      probes.map((probe) => [probeText(probe), probe.outcome, probe.by, rtt(probe)]),
      style,
      width,
    ),
    "",
    VERDICT[verdict]?.(style) ?? verdict,
    ...advice.map((text) => style.yellow(printable(text))),
  ];
}

const missing = ({ node, missing: of }: PathHop): string[] => of.map((text) => printable(`${node} lacks: ${text}`));

const probeText = ({ hopLimit, bytes }: PathProbe): string =>
  hopLimit === 0 ? `${bytes} bytes` : `${bytes} bytes, ${hopLimit} hop${hopLimit === 1 ? "" : "s"}`;

const rtt = ({ rttUs }: PathProbe): string => (rttUs === 0 ? "" : `${(rttUs / 1_000).toFixed(2)} ms`);

const VERDICT: Readonly<Record<string, (style: Style) => string>> = {
  reached: (style) => style.green("reached"),
  narrow: (style) => style.red("reached by small packets only"),
  unreachable: (style) => style.red("refused"),
  lost: (style) => style.red("lost"),
  untested: (style) => style.yellow("not tested"),
};
