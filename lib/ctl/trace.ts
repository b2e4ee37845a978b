import { Admin, type Span, type Trace } from "#proto/selvedge_pb.ts";
import { milliseconds } from "./amount.ts";
import type { Command } from "./command.ts";
import { operation } from "./plan.ts";
import { printable, type Style } from "./style.ts";
import { theOne } from "./the-one.ts";

export const trace: Command = {
  summary: "The path of an ADD with its timings.",
  usage: "ATTACHMENT",
  fewestWords: 1,
  mostWords: 1,
  choices: [],
  options: {},
  async run(ask, { words: [wanted = ""] }) {
    const { attachments } = await ask(Admin.listAttachments, {});
    const found = await ask(Admin.getTrace, theOne(wanted, attachments));
    return { json: found, lines: (style, width) => lines(found, style, width) };
  },
};

function lines({ key, traceparent, spans }: Trace, style: Style, width: number): string[] {
  const totalUs = Math.max(0, ...spans.map((span) => span.startUs + span.durationUs));
  const nameWidth = Math.max(5, ...spans.map(({ name }) => name.length));
  const barWidth = Math.max(10, Math.min(48, width - nameWidth - 28));
  const row = (name: string, startUs: number, durationUs: number, tail: string) =>
    `${name.padEnd(nameWidth)}  ${milliseconds(startUs).padStart(11)}  ${milliseconds(durationUs).padStart(11)}  ${tail}`.trimEnd();
  const head = `${"STEP".padEnd(nameWidth)}  ${"START".padStart(11)}  ${"TOOK".padStart(11)}`;
  const operations = spans.flatMap((span) => span.lines);
  return [
    `${printable(key?.containerId ?? "")} ${printable(key?.ifname ?? "")}`,
    ...(traceparent === "" ? [] : [`traceparent ${printable(traceparent)}`]),
    "",
    style.bold(head),
    ...spans.map((span) => row(printable(span.name), span.startUs, span.durationUs, bar(span, totalUs, barWidth))),
    row("total", 0, totalUs, ""),
    ...(operations.length === 0 ? [] : ["", ...operations.map((line) => operation(line, style))]),
  ];
}

/** Where in the whole a step lies; a step that took any time at all has at least one mark. */
function bar({ startUs, durationUs }: Span, totalUs: number, width: number): string {
  if (totalUs === 0 || durationUs === 0) return "";
  const from = Math.min(width - 1, Math.floor((startUs / totalUs) * width));
  const length = Math.max(1, Math.round((durationUs / totalUs) * width));
  return " ".repeat(from) + "█".repeat(Math.min(length, width - from));
}
