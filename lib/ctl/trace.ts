import { SelvedgeError } from "#lib/errors.ts";
import { Admin, type Attachment, type AttachmentKey, type Span, type Trace } from "#proto/selvedge_pb.ts";
import { milliseconds } from "./amount.ts";
import { shortId } from "./attachments.ts";
import type { Command } from "./command.ts";
import { operation } from "./plan.ts";
import { printable, type Style } from "./style.ts";

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

/** True when `wanted` is the beginning of the container id, that and `/ifname`, the pod's name, or namespace/name. */
function matches(wanted: string, { key, pod }: Attachment): boolean {
  if (key === undefined) return false;
  const [id = "", ifname, ...more] = wanted.split("/");
  const byId = key.containerId.startsWith(id) && (ifname === undefined || ifname === key.ifname) && more.length === 0;
  return byId || pod === wanted || pod.split("/")[1] === wanted;
}

/** @throws SelvedgeError config-invalid when none matches or several do */
function theOne(wanted: string, attachments: readonly Attachment[]): AttachmentKey {
  const found = attachments
    .filter((one) => matches(wanted, one))
    .flatMap(({ key }) => (key === undefined ? [] : [key]));
  const exact = found.filter(({ containerId }) => containerId === wanted.split("/")[0]);
  const [first, ...others] = exact.length > 0 ? exact : found;
  const invalid = (message: string, hint: string) =>
    new SelvedgeError({ kind: "config-invalid", field: "attachment" }, message, { hint });
  if (first === undefined)
    throw invalid(
      `no attachment matches "${wanted}"`,
      "Give the beginning of a container id, a pod's name, or namespace/name; `selvedgectl attachments` lists them.",
    );
  if (others.length > 0)
    throw invalid(
      `"${wanted}" is not one attachment: ${[first, ...others].map((k) => `${shortId(k.containerId)}/${k.ifname}`).join(", ")}`,
      "Give more of the container id, or CONTAINER/IFNAME.",
    );
  return first;
}

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
