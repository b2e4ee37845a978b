/** `selvedgectl doctor mtu` */
import { Admin, type MtuFinding, type MtuReport } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Answer, type Ask, EXIT } from "./command.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

/** @param nodes empty: all */
export async function probedMtus(ask: Ask, nodes: readonly string[]): Promise<Answer> {
  const report = await ask(Admin.probeMtu, { nodes: [...nodes] });
  const isWell = report.unasked.length === 0 && report.findings.every(({ right }) => right);
  return { json: report, lines: (style, width) => lines(report, style, width), exit: isWell ? EXIT.ok : EXIT.ailing };
}

function lines({ findings, unasked }: MtuReport, style: Style, width: number): string[] {
  if (findings.length + unasked.length === 0) return ["no peers"];
  const wrong = findings.filter(({ right }) => !right).length;
  return [
    ...table(
      [
        { heading: "PEER" },
        { heading: "PODS" },
        { heading: "MTU", right: true },
        { heading: "THAT SIZE" },
        { heading: "ONE BYTE MORE" },
        { heading: "VERDICT", cut: true },
      ],
      findings.map((finding) => [
        finding.peer,
        `IPv${finding.family}`,
        String(finding.mtu),
        finding.largest,
        finding.larger,
        verdict(finding),
      ]),
      style,
      width,
    ),
    "",
    wrong === 0
      ? style.green(`${counted(findings.length, "way")}, none wrong`)
      : style.red(`${wrong} of ${counted(findings.length, "way")} wrong`),
    ...unasked.map((name) =>
      style.yellow(`${printable(name)} was not asked: it is not alive, or there is no way to it`),
    ),
  ];
}

function verdict({ right, largest }: MtuFinding): string {
  if (right) return "right";
  return largest === "passes" ? "larger packets would pass, too" : "packets as large as pods may send do not arrive";
}
