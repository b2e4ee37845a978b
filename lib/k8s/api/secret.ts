/**
 * Values of Secrets, each got by its name when it is used: the right to get that one is all that it takes, where a watch would
 * take the right to list. What was read stands while the server is away. The daemon has rights that who writes a Router may not
 * have: to whose host a Secret goes it says itself, by an annotation.
 */
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { ObjectName } from "../objects.ts";
import type { ReadAccess } from "./access.ts";
import { asking } from "./ask.ts";
import { wholeJson } from "./body.ts";

interface SecretKey extends ObjectName {
  /** Of its data. */
  readonly key: string;
  /** Of the URL of an object's router, which it must be for; undefined: the configuration file names it, which is root's. */
  readonly host: string | undefined;
}

/**
 * @param isWrong what was read last is not what is meant: it is read again
 * @throws SelvedgeError config-invalid: it is not there, is not for that host, or may not be got; not-ready: the server is away.
 * Never with a value
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

/** Hosts with commas between them, each as in `https://HOST`: with its port unless that is 443. */
export const HOSTS_ANNOTATION = "selvedge.dev/router-hosts";

type Data = Readonly<Record<string, unknown>>;

interface Content {
  readonly data: Data;
  /** As URLs have them; undefined: it does not say. */
  readonly hosts: readonly string[] | undefined;
}

export function secrets(options: SecretsOptions): ReadSecret {
  const known = new Map<string, { readonly content: Content; readonly atMs: number }>();
  /** A router's sites may all name one, and are read at the same time. */
  const underWay = new Map<string, Promise<Content>>();

  const getting = (name: string, of: ObjectName): Promise<Content> => {
    const begun = underWay.get(name) ?? got(options, of).finally(() => underWay.delete(name));
    underWay.set(name, begun);
    return begun;
  };
  const contentOf = async (of: ObjectName, isWrong: boolean): Promise<Content> => {
    const name = `${of.namespace}/${of.name}`;
    const held = known.get(name);
    const nowMs = options.nowMs();
    if (held !== undefined && !isWrong && nowMs - held.atMs < FRESH_MS) return held.content;
    try {
      const content = await getting(name, of);
      known.set(name, { content, atMs: nowMs });
      return content;
    } catch (error) {
      known.delete(name);
      if (held === undefined || !isFailure(error, "not-ready")) throw error;
      known.set(name, { ...held, atMs: nowMs });
      return held.content;
    }
  };

  return async ({ key, host, ...of }, isWrong = false) => {
    const { data, hosts } = await contentOf(of, isWrong);
    if (host !== undefined && !hosts?.includes(host)) throw notFor(host, of, hosts);
    const found = data[key];
    const line = typeof found === "string" ? Buffer.from(found, "base64").toString().split(/\r?\n/, 1)[0] : undefined;
    if (line !== undefined && line !== "") return line;
    const what = line === undefined ? "has no key" : "has an empty first line under the key";
    throw wrong(`Secret ${of.namespace}/${of.name} ${what} ${JSON.stringify(key)}`);
  };
}

async function got({ access, userAgent }: SecretsOptions, { namespace, name }: ObjectName): Promise<Content> {
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
    const { data, metadata } = (object ?? {}) as SecretObject;
    const said = metadata?.annotations?.[HOSTS_ANNOTATION];
    return { data: data ?? {}, hosts: typeof said === "string" ? hostsIn(said) : undefined };
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

/** core/v1, as far as it matters here. */
interface SecretObject {
  readonly data?: Data | null;
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> | null };
}

/** What is none is nobody's. */
const hostsIn = (text: string): string[] =>
  text.split(/[\s,]+/).flatMap((each) => {
    const url = `https://${each}`;
    return URL.canParse(url) ? [new URL(url).host] : [];
  });

/** Whom else it is for is not told: who sees a Router's condition may not see Secrets. */
const notFor = (host: string, { namespace, name }: ObjectName, hosts: Content["hosts"]): SelvedgeError =>
  wrong(
    `Secret ${namespace}/${name} is not for a Router at ${host}: its annotation ${HOSTS_ANNOTATION} ` +
      (hosts === undefined ? `is missing; it must be "${host}"` : `does not name that; add "${host}"`),
  );

const wrong = (message: string, hint?: string): SelvedgeError =>
  new SelvedgeError(
    { kind: "config-invalid", field: "edge.routers" },
    `edge: ${message}`,
    hint === undefined ? {} : { hint },
  );
