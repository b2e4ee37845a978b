/** One call of one plugin: environment and standard input in, exit code and JSON out. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inside, run } from "./program.ts";
import { isObject, type Json, type JsonObject } from "./subject.ts";

export interface Answer {
  readonly exit: number | undefined;
  /** What was printed: undefined for nothing at all. */
  readonly body: JsonObject | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

export interface Call {
  /** Network namespace that the plugin runs in. */
  readonly namespace: string;
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
}

/** The program of a plugin `type`, as a runtime looks it up. @throws Error when it is nowhere on the path */
export function programOf(type: Json | undefined, path: readonly string[]): string {
  const found = path.map((directory) => join(directory, String(type))).find((program) => existsSync(program));
  if (found === undefined) throw new Error(`no plugin ${type} in ${path.join(", ")}`);
  return found;
}

/**
 * @throws Error when anything but one JSON object was printed (cni-spec "Errors": a runtime reads nothing else), or when
 *   the plugin died of a signal or of the deadline of 45 s
 */
export async function call({ namespace, program, environment, input }: Call): Promise<Answer> {
  const ran = await run(inside(namespace, [program]), { environment, input, deadlineMs: 45_000 });
  const { exit, stdout, stderr, tookMs } = ran;
  const said = `stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr.slice(0, 500))}`;
  if (exit === undefined) throw new Error(`${program} was killed: ${said}`);
  return { exit, body: stdout === "" ? undefined : parsed(stdout, said), stdout, stderr, tookMs };
}

function parsed(stdout: string, said: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`not JSON: ${said}`, { cause });
  }
  if (!isObject(body)) throw new Error(`no JSON object: ${said}`);
  return body;
}
