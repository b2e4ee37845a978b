/** Secrets by reference: read when they are used, so that they may be replaced while the daemon runs. */
import { readFile } from "node:fs/promises";
import { SelvedgeError } from "#lib/errors.ts";

/** One of the three. */
export interface SecretSource {
  readonly file?: string;
  /** Name of a variable. */
  readonly environment?: string;
  /** Of Kubernetes. */
  readonly secret?: KubernetesSecret;
}

export interface KubernetesSecret {
  readonly namespace: string;
  readonly name: string;
  /** Of its data. */
  readonly key: string;
}

interface SecretPlaces {
  /** Of the process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absent: there is no Kubernetes. @param isWrong what was read last does not count @throws SelvedgeError config-invalid, not-ready */
  readonly ofKubernetes?: (of: KubernetesSecret, isWrong: boolean) => Promise<string>;
}

/**
 * @param isWrong what this gave last is not what is meant
 * @throws SelvedgeError config-invalid, not-ready: naming where the secret should be, never the secret
 */
export async function secretFrom(source: SecretSource, places: SecretPlaces, isWrong = false): Promise<string> {
  const { file, environment: variable, secret } = source;
  if (file !== undefined) return firstLineOf(file);
  if (secret !== undefined && places.ofKubernetes !== undefined) return places.ofKubernetes(secret, isWrong);
  const value = variable === undefined ? undefined : places.environment[variable];
  if (value !== undefined && value !== "") return value;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers" },
    `edge: ${secret === undefined ? `the environment of the daemon has no ${variable}` : "there is no Kubernetes to ask for a Secret"}`,
  );
}

async function firstLineOf(file: string): Promise<string> {
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
