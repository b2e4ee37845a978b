import { Admin, type Diagnosis, type Finding } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Command, EXIT, UsageError } from "./command.ts";
import { probedMtus } from "./mtu.ts";
import { printable, type Style } from "./style.ts";
import { table } from "./table.ts";

export const doctor: Command = {
  summary: "What ails this node, and what can it do? mtu: do packets fit?",
  usage: "[mtu]",
  fewestWords: 0,
  mostWords: 1,
  choices: ["mtu"],
  options: { node: { value: "NAME", repeated: true, meaning: "with mtu: only the ways to these nodes (all)" } },
  async run(ask, { words: [what], value }) {
    if (what === "mtu") return probedMtus(ask, value("node").split(",").filter(Boolean));
    if (value("node") !== "") throw new UsageError('--node is for "doctor mtu"');
    const diagnosis = await ask(Admin.doctor, {});
    return {
      json: diagnosis,
      lines: (style, width) => lines(diagnosis, style, width),
      exit: diagnosis.findings.some(({ level }) => level === "problem") ? EXIT.ailing : EXIT.ok,
    };
  },
};

function lines({ findings, types, features }: Diagnosis, style: Style, width: number): string[] {
  const count = (level: string) => findings.filter((finding) => finding.level === level).length;
  const lacking = features.filter(({ present }) => !present);
  return [
    ...findings.flatMap((finding) => findingLines(finding, style)),
    "",
    `${counted(count("problem"), "problem")}, ${counted(count("warning"), "warning")}`,
    "",
    ...table(
      [{ heading: "TYPE" }, { heading: "HERE" }, { heading: "NEEDS", cut: true }, { heading: "MISSING" }],
      types.map(({ name, needs, missing }) => [
        name,
        missing.length === 0 ? "yes" : missing.length < needs.length ? "in part" : "no",
        needs.join(" "),
        missing.join(" "),
      ]),
      style,
      width,
    ),
    ...(lacking.length === 0
      ? []
      : [
          "",
          ...table(
            [{ heading: "THIS KERNEL LACKS" }, { heading: "REMEDY" }],
            lacking.map(({ name, remedy }) => [name, remedy]),
            style,
            width,
          ),
        ]),
  ];
}

const COLOUR: Readonly<Record<string, "green" | "yellow" | "red">> = { ok: "green", warning: "yellow", problem: "red" };

export function findingLines({ check, level, message, remedy }: Finding, style: Style): string[] {
  const colour = COLOUR[level] ?? "red";
  const first = `${style[colour](printable(level).padEnd(8))} ${printable(check)}: ${printable(message)}`;
  return remedy === "" ? [first] : [first, `         ${printable(remedy)}`];
}
