/**
 * Values of Secrets, each got by its name when it is used: the right to get that one is all that it takes, where a watch would
 * take the right to list. What was read stands while the server is away.
 */
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { ObjectName } from "../objects.ts";
import type { ReadAccess } from "./access.ts";
import { asking } from "./ask.ts";
import { wholeJson } from "./body.ts";

interface SecretKey extends ObjectName {
  /** Of its data. */
  readonly key: string;
}

/**
 * @param isWrong what was read last is not what is meant: it is read again
 * @throws SelvedgeError config-invalid: it is not there, or may not be got; not-ready: the server is away. Never with a value
 */
type ReadSecret = (of: SecretKey, isWrong?: boolean) => Promise<string>;

export interface SecretsOptions {
  readonly access: ReadAccess;
  readonly userAgent: string;
  readonly nowMs: () => number;
}

/** How long one counts: sessions with routers are looked after every few seconds. */
export const FRESH_MS = 30_000;
const GET_MS = 5_000;
/** A Secret holds at most 1 MiB (core/v1, MaxSecretSize), which is base64 here. */
const MOST_BYTES = 2 * 1024 * 1024;

type Data = Readonly<Record<string, unknown>>;

export function secrets(options: SecretsOptions): ReadSecret {
  const known = new Map<string, { readonly data: Data; readonly atMs: number }>();
  /** A router's sites may all name one, and are read at the same time. */
  const underWay = new Map<string, Promise<Data>>();

  const getting = (name: string, of: ObjectName): Promise<Data> => {
    const begun = underWay.get(name) ?? got(options, of).finally(() => underWay.delete(name));
    underWay.set(name, begun);
    return begun;
  };
  const dataOf = async (of: ObjectName, isWrong: boolean): Promise<Data> => {
    const name = `${of.namespace}/${of.name}`;
    const held = known.get(name);
    const nowMs = options.nowMs();
    if (held !== undefined && !isWrong && nowMs - held.atMs < FRESH_MS) return held.data;
    try {
      const data = await getting(name, of);
      known.set(name, { data, atMs: nowMs });
      return data;
    } catch (error) {
      known.delete(name);
      if (held === undefined || !isFailure(error, "not-ready")) throw error;
      known.set(name, { ...held, atMs: nowMs });
      return held.data;
    }
  };

  return async ({ key, ...of }, isWrong = false) => {
    const found = (await dataOf(of, isWrong))[key];
    const line = typeof found === "string" ? Buffer.from(found, "base64").toString().split(/\r?\n/, 1)[0] : undefined;
    if (line !== undefined && line !== "") return line;
    const what = line === undefined ? "has no key" : "has an empty first line under the key";
    throw wrong(`Secret ${of.namespace}/${of.name} ${what} ${JSON.stringify(key)}`);
  };
}

async function got({ access, userAgent }: SecretsOptions, { namespace, name }: ObjectName): Promise<Data> {
  // Seldom enough for a connection of its own.
  using ask = asking(access, userAgent);
  const [at, of] = [namespace, name].map(encodeURIComponent);
  const answer = await ask({
    path: `/api/v1/namespaces/${at}/secrets/${of}`,
    signal: AbortSignal.timeout(GET_MS),
  });
  if ("stream" in answer) {
    const object = await wholeJson(answer, MOST_BYTES).catch((error: SelvedgeError) => {
      // Which quotes what it could not read.
      if (!(error.cause instanceof SyntaxError)) throw error;
      throw new SelvedgeError({ kind: "not-ready" }, `${answer.server.origin}: what it answered is no JSON`);
    });
    return ((object as { readonly data?: Data } | null)?.data ?? {}) satisfies Data;
  }
  const { status, message } = answer;
  if (status === 404) throw wrong(`there is no Secret ${namespace}/${name}`);
  if (status === 403)
    throw wrong(
      `Secret ${namespace}/${name} may not be got: ${message}`,
      "install/kubernetes/router-secret.yaml is a Role that gives the right to one Secret.",
    );
  throw new SelvedgeError({ kind: "not-ready" }, `may not get secrets: ${status} ${message}`);
}

const wrong = (message: string, hint?: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers" },
    `edge: ${message}`,
    hint === undefined ? {} : { hint },
  );
