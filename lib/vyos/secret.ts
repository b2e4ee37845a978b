/** Secrets by reference: read when they are used, so that they may be replaced while the daemon runs. */
import { readFile } from "node:fs/promises";
import { SelvedgeError } from "#lib/errors.ts";

export interface SecretSource {
  readonly file?: string;
  /** Name of a variable. */
  readonly environment?: string;
}

/** @param environment of the process @throws SelvedgeError config-invalid naming the file or the variable, never the secret */
export async function secretFrom(
  { file, environment: variable }: SecretSource,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (file !== undefined) return secretIn(file);
  const value = variable === undefined ? undefined : environment[variable];
  if (value !== undefined && value !== "") return value;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers.key" },
    `edge: the environment of the daemon has no ${variable}`,
  );
}

/** The first line of a file. @throws SelvedgeError config-invalid */
export async function secretIn(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: Error) => {
    throw new SelvedgeError({ kind: "config-invalid", field: file }, `edge: ${cause.message}`, { cause });
  });
  const line = text.split(/\r?\n/, 1)[0] ?? "";
  if (line !== "") return line;
  throw new SelvedgeError(
    { kind: "config-invalid", field: file },
    `edge: ${file} has an empty first line; it must hold a secret`,
  );
}
