import { Admin } from "#proto/selvedge_pb.ts";
import { counted } from "./amount.ts";
import { type Answer, type Command, WORDLESS } from "./command.ts";
import { printable, type Style } from "./style.ts";

export const plan: Command = {
  ...WORDLESS,
  options: {},
  summary: "What the next reconcile would change; changes nothing.",
  run: async (ask) => operations((await ask(Admin.plan, {})).lines, "nothing to do", "to do"),
};

export const reconcile: Command = {
  ...WORDLESS,
  options: {},
  summary: "Reconciles now, waits for it, and tells what was changed.",
  run: async (ask) => operations((await ask(Admin.reconcile, {})).lines, "nothing was to be done", "done"),
};

const operations = (ops: readonly string[], none: string, what: string): Answer => ({
  json: { lines: ops },
  lines: (style) =>
    ops.length === 0
      ? [none]
      : [...ops.map((op) => operation(op, style)), "", `${counted(ops.length, "operation")} ${what}`],
});

const SIGNS: Readonly<Record<string, "green" | "yellow" | "red">> = { "+": "green", "~": "yellow", "-": "red" };

/** A line of lib/state/line.ts, in the colour of its sign. */
export function operation(text: string, style: Style): string {
  const sign = SIGNS[text.charAt(0)];
  return sign === undefined ? printable(text) : style[sign](printable(text));
}
