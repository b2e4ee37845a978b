/** Usage texts, derived from the commands. */
import { nearest } from "#lib/nearest.ts";
import { type Command, EXIT, EXIT_MEANING, type Option, UsageError } from "./command.ts";

type Commands = Readonly<Record<string, Command>>;
type Options = Readonly<Record<string, Option>>;

/** The help of one command, or of all. @throws UsageError when there is no such command */
export const helpOf = (name: string | undefined, commands: Commands, everywhere: Options): string =>
  name === undefined ? overview(commands, everywhere) : detail(name, commandNamed(name, commands), everywhere);

/** @throws UsageError naming the command that was probably meant */
export function commandNamed(name: string, commands: Commands): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  const meant = nearest(name, Object.keys(commands));
  const right = meant === undefined ? "`selvedgectl help` lists all" : `did you mean "${meant}"?`;
  throw new UsageError(`there is no command "${name}"; ${right}`);
}

const columns = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n");
};

const described = (options: Options): string =>
  columns(
    Object.entries(options).map(([name, { value, meaning }]) => [value ? `--${name} ${value}` : `--${name}`, meaning]),
  );

const usageLine = (name: string, { usage, options }: Command): string =>
  [name, usage, Object.keys(options).length > 0 ? "[OPTIONS]" : ""].filter((part) => part !== "").join(" ");

function overview(commands: Commands, everywhere: Options): string {
  const exits = Object.entries(EXIT).map(([name, code]): [string, string] => [
    String(code),
    EXIT_MEANING[name as keyof typeof EXIT],
  ]);
  return `selvedgectl: the operator's window on this node's selvedged

Usage: selvedgectl COMMAND [OPTIONS]

Commands:
${columns(Object.entries(commands).map(([name, command]) => [`${name} ${command.usage}`.trimEnd(), command.summary]))}

Options of every command:
${described(everywhere)}

Exit codes:
${columns(exits)}

Environment:
${columns([
  ["SELVEDGE_SOCKET", "the daemon's socket"],
  ["NO_COLOR", "no colours, on a terminal either"],
])}
`;
}

const deeds = ({ usage, choices }: Command): string =>
  usage.startsWith("DEED") ? `Deeds: ${choices.join(", ")}\n\n` : "";

const detail = (name: string, command: Command, everywhere: Options): string => `${command.summary}

Usage: selvedgectl ${usageLine(name, command)}

${deeds(command)}${Object.keys(command.options).length > 0 ? `Options:\n${described(command.options)}\n\n` : ""}Options of every command:
${described(everywhere)}
`;
