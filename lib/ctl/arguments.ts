/** The command line, parsed against the commands. */
import { parseArgs } from "node:util";
import { nearest } from "#lib/nearest.ts";
import { type Command, type Given, type Option, UsageError } from "./command.ts";
import { COMMANDS, EVERYWHERE } from "./commands.ts";
import { commandNamed } from "./help.ts";

export interface Line {
  /** Undefined when none was given. */
  readonly name: string | undefined;
  readonly command: Command | undefined;
  readonly given: Given;
}

/** An option's name means one kind of value in every command, so that options may stand before the command. */
export const OPTIONS: Readonly<Record<string, Option>> = Object.assign(
  {},
  EVERYWHERE,
  ...Object.values(COMMANDS).map(({ options }) => options),
);

/** @throws UsageError */
export function parseLine(argv: readonly string[]): Line {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(OPTIONS).map(([name, { value }]) => [
          name,
          { type: value === undefined ? "boolean" : "string" },
        ]),
      ),
      help: { type: "boolean", short: "h" },
    },
  });
  const words = tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const value = takenValue(token);
    const before = OPTIONS[token.name]?.repeated === true ? values.get(token.name) : undefined;
    values.set(token.name, before === undefined ? value : `${before},${value}`);
  }
  const [name, ...rest] = words;
  const command = name === undefined ? undefined : commandNamed(name, COMMANDS);
  if (command !== undefined && !values.has("help")) check(name ?? "", command, rest, values);
  return {
    name,
    command,
    given: { words: rest, flag: (option) => values.has(option), value: (option) => values.get(option) ?? "" },
  };
}

function takenValue({ name, rawName, value }: { name: string; rawName: string; value: string | undefined }): string {
  const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (option === undefined) {
    const meant = nearest(name, Object.keys(OPTIONS));
    throw new UsageError(`there is no option ${rawName}${meant === undefined ? "" : `; did you mean --${meant}?`}`);
  }
  if (option.value === undefined && value !== undefined) throw new UsageError(`${rawName} takes no value`);
  if (option.value !== undefined && (value === undefined || value === ""))
    throw new UsageError(`${rawName} needs a value: --${name} ${option.value}`);
  return value ?? "";
}

function check(name: string, command: Command, words: readonly string[], values: ReadonlyMap<string, string>): void {
  for (const option of values.keys())
    if (!Object.hasOwn(EVERYWHERE, option) && !Object.hasOwn(command.options, option))
      throw new UsageError(`"${name}" does not take --${option}; see \`selvedgectl help ${name}\``);
  if (words.length < command.fewestWords) throw new UsageError(`"${name}" needs an argument: ${command.usage}`);
  const extra = words[command.mostWords];
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many for "${name}"`);
  const [first] = words;
  if (first === undefined || command.choices.length === 0 || command.choices.includes(first)) return;
  const meant = nearest(first, command.choices);
  const right = meant === undefined ? `one of ${command.choices.join(", ")}` : `"${meant}"`;
  throw new UsageError(`"${name}" does not know "${first}"; did you mean ${right}?`);
}
