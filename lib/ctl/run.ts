/** One run of selvedgectl, from the command line to what is printed; everything outside is a parameter. */
import { isFailure } from "#lib/errors.ts";
import { parseLine } from "./arguments.ts";
import { type Ask, type Command, EXIT, type Exit, type Given, UsageError } from "./command.ts";
import { COMMANDS, EVERYWHERE } from "./commands.ts";
import { helpOf } from "./help.ts";
import { coloured, plain } from "./style.ts";

export interface Surroundings {
  readonly version: string;
  /** Where the daemon listens unless `--socket` says otherwise. */
  readonly socket: string;
  readonly colours: boolean;
  /** Width of the terminal, characters; undefined when it is none. */
  readonly widthColumns: number | undefined;
  /** A way to the daemon. */
  readonly connect: (options: { socket: string; deadlineMs: number }) => Ask;
}

export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly exit: Exit;
}

/** Width of what goes to a file or another program. */
const FILE_WIDTH = 120;

export async function run(argv: readonly string[], around: Surroundings): Promise<Outcome> {
  try {
    const { name, command, given } = parseLine(argv);
    if (given.flag("version")) return printed(`selvedgectl ${around.version}\n`);
    if (given.flag("help")) return printed(helpOf(name, COMMANDS, EVERYWHERE));
    if (command === undefined) return { out: "", err: helpOf(undefined, COMMANDS, EVERYWHERE), exit: EXIT.usage };
    return await perform(command, given, around);
  } catch (error) {
    return refused(error);
  }
}

const printed = (out: string): Outcome => ({ out, err: "", exit: EXIT.ok });

async function perform(command: Command, given: Given, around: Surroundings): Promise<Outcome> {
  const socket = given.value("socket") || around.socket;
  const answer = await command.run(around.connect({ socket, deadlineMs: timeoutMs(given.value("timeout")) }), given);
  const style = around.colours ? coloured : plain;
  const out = given.flag("json")
    ? JSON.stringify(answer.json, undefined, 2)
    : answer.lines(style, around.widthColumns ?? FILE_WIDTH).join("\n");
  return { out: `${out}\n`, err: "", exit: answer.exit ?? EXIT.ok };
}

/** @throws UsageError */
function timeoutMs(seconds: string): number {
  const n = seconds === "" ? 30 : Number(seconds);
  if (n > 0 && n <= 3_600) return n * 1_000;
  throw new UsageError(`--timeout: "${seconds}" is not a number of seconds from 0 to 3600`);
}

/** A failure as two lines for people. Anything else that was thrown is a bug, and goes on. */
function refused(error: unknown): Outcome {
  if (error instanceof UsageError) return { out: "", err: `selvedgectl: ${error.message}\n`, exit: EXIT.usage };
  if (!isFailure(error)) throw error;
  const hint = error.hint === undefined ? "" : `${error.hint}\n`;
  const away = isFailure(error, "not-ready", "deadline");
  return { out: "", err: `selvedgectl: ${error.message}\n${hint}`, exit: away ? EXIT.unreachable : EXIT.failed };
}
