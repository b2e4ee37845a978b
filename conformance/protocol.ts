/**
 * The protocol rows: one call each, with exactly the given environment and input, and what must come back. Rows were
 * measured from the reference implementation's skeleton; messages and addresses are the plugin's own business.
 */
import { isDeepStrictEqual } from "node:util";
import { makeNamespace, pathOf, removeNamespace } from "./namespace.ts";
import { type Answer, call, programOf } from "./plugin.ts";
import { NO_MTU, shapeProblems } from "./shape.ts";
import { isObject, type Json, type JsonObject, type Subject, type Version } from "./subject.ts";

export interface Row {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly expect: { readonly exit: number; readonly stdout: JsonObject | null; readonly stderrText?: string };
}

/** Reads the `protocol` rows of a file's text. @throws Error when there are none, or one is not a row */
export function rowsOf(text: string): Row[] {
  const file: unknown = JSON.parse(text);
  const rows: unknown = isObject(file) ? file.protocol : undefined;
  if (!Array.isArray(rows) || rows.length === 0) throw new Error("the file holds no protocol rows");
  for (const row of rows) {
    const right = isObject(row) && isObject(row.env) && typeof row.stdin === "string" && isObject(row.expect);
    if (!right) throw new Error(`not a protocol row: ${JSON.stringify(row)}`);
  }
  return rows;
}

/** The placeholder that stands for the plugin's own namespace. */
const SAME = "/same";

export interface Stage {
  readonly subject: Subject;
  /** Namespace that the plugin runs in. */
  readonly namespace: string;
}

/** Runs one row on a clean stage and says everything that is wrong, one sentence each. */
export async function problemsOf(row: Row, { subject, namespace }: Stage): Promise<string[]> {
  const substituted: Row = JSON.parse(JSON.stringify(row).replaceAll(`"${SAME}"`, JSON.stringify(pathOf(namespace))));
  const { stdin, expect } = substituted;
  // A subject that calls other plugins for addresses must find them.
  const delegates = !subject.traits.includes("own-ipam") && "CNI_PATH" in row.env;
  const env = delegates ? { ...substituted.env, CNI_PATH: subject.path.join(":") } : substituted.env;
  const program = programOf(subject.plugins({})[0]?.type, subject.path);
  const input = completed(stdin, subject);
  const ask = (verb: string | undefined, changed: Readonly<Record<string, string>> = {}) => {
    const environment = {
      ...subject.environment,
      ...env,
      ...changed,
      ...(verb !== undefined && { CNI_COMMAND: verb }),
    };
    return call({ namespace, program, environment, input });
  };
  const attaches = expect.exit === 0 && ["ADD", "CHECK"].includes(env.CNI_COMMAND ?? "");
  const podNames = Object.values(env).flatMap((value) => /^\/run\/netns\/([\w.-]+)$/.exec(value)?.[1] ?? []);
  const pods = podNames.filter((name) => name !== namespace);
  try {
    for (const pod of pods) await makeNamespace(pod);
    if (attaches) await ask("DEL");
    if (attaches && env.CNI_COMMAND === "CHECK") {
      const added = await ask("ADD", { CNI_PATH: env.CNI_PATH ?? "" });
      if (added.exit !== 0) return [`the ADD before it failed: ${added.stdout}`];
    }
    const problems = differences({ ...substituted, env }, input, await ask(undefined));
    // The reference's main plugins never fill `mtu` in.
    return subject.traits.includes("result-mtu") ? problems : problems.filter((text) => text !== NO_MTU);
  } finally {
    if (attaches) await ask("DEL");
    for (const pod of pods) await removeNamespace(pod);
  }
}

/** What the plugin cannot do without is laid under a configuration that can be read; other input goes in as it is. */
function completed(stdin: string, subject: Subject): string {
  const { type: _type, ...needed } = subject.plugins({})[0] ?? {};
  let config: unknown;
  try {
    config = JSON.parse(stdin);
  } catch {
    return stdin;
  }
  if (!isObject(config) || "prevResult" in config || Object.keys(needed).length === 0) return stdin;
  return JSON.stringify({ ...needed, ...config });
}

function differences({ env, expect }: Row, input: string, answer: Answer): string[] {
  const problems: string[] = [];
  if (answer.exit !== expect.exit) problems.push(`exit ${answer.exit} instead of ${expect.exit}: ${answer.stdout}`);
  const versions = expect.stderrText?.match(/\d+\.\d+\.\d+/g) ?? [];
  for (const version of versions) if (!answer.stderr.includes(version)) problems.push(`stderr lacks ${version}`);
  if (expect.stdout === null) return answer.body ? [...problems, `printed ${answer.stdout}`] : problems;
  if (answer.body === undefined) return [...problems, "printed nothing"];
  return [...problems, ...bodyProblems(answer.body, expect.stdout, { env, input })];
}

function bodyProblems(
  body: JsonObject,
  wanted: JsonObject,
  { env, input }: { env: Row["env"]; input: string },
): string[] {
  if ("code" in wanted) return errorProblems(body, wanted.code);
  if ("supportedVersions" in wanted) return versionProblems(body, wanted);
  if (input.includes('"prevResult"'))
    return isDeepStrictEqual(body, wanted) ? [] : [`${JSON.stringify(body)} instead of ${JSON.stringify(wanted)}`];
  const interfaces = Array.isArray(wanted.interfaces) ? wanted.interfaces.filter(isObject) : [];
  return shapeProblems(body, {
    version: String(wanted.cniVersion) as Version,
    ifname: env.CNI_IFNAME ?? "",
    netns: env.CNI_NETNS ?? "",
    interfaceKeys: interfaces.flatMap((one) => Object.keys(one)),
  });
}

function errorProblems(body: JsonObject, code: Json | undefined): string[] {
  const problems = body.code === code ? [] : [`code ${body.code} instead of ${code}: ${body.msg}`];
  if (typeof body.msg !== "string" || body.msg === "") problems.push("an error without a message");
  return problems;
}

function versionProblems(body: JsonObject, wanted: JsonObject): string[] {
  const problems: string[] = [];
  for (const key of ["cniVersion", "supportedVersions"])
    if (!isDeepStrictEqual(body[key], wanted[key])) problems.push(`${key} is ${JSON.stringify(body[key])}`);
  return problems;
}
