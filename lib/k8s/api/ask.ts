/** One request to an API server, and what it answered: a body that comes little by little, or why there is none. */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { isFailure } from "#lib/errors.ts";
import type { Access, ReadAccess } from "./access.ts";
import { type Body, wholeJson } from "./body.ts";
import { unreached } from "./unreached.ts";

export interface Asked {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Absent: it only reads. */
  readonly change?: Change;
}

export interface Change {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  /** How a PATCH takes lists: as a whole, or what has the same key in place of what is there (only of Kubernetes' own kinds). */
  readonly lists?: "by key";
  /** Of a PATCH: fields that are others now, or a list of steps (RFC 6902). */
  readonly body: object;
}

export interface Refused {
  /** HTTP's. */
  readonly status: number;
  /** What the server says of it (meta/v1 Status.message), in one line. */
  readonly message: string;
  /** The object that it is about (meta/v1 StatusDetails.name). */
  readonly about?: string;
  /** How long it wants to be left alone. */
  readonly afterMs?: number;
}

export type Answer = Body | Refused;

/** @throws SelvedgeError not-ready: the server was not reached, or is another; config-invalid: it is not known where it is */
export type Ask = (asked: Asked) => Promise<Answer>;

/** A peer that is gone without a word is noticed so long after, and ten seconds (libuv's probes, one a second). */
const KEEP_ALIVE_MS = 15_000;
/** From the request to the first line of the answer. */
const ANSWER_MS = 30_000;
/** What PATCH means: fields that are given in place of those that are there (RFC 7386). Else an object as a whole. */
const MERGE = "application/merge-patch+json";
/** Steps, each of which may be a test without which none is taken (RFC 6902). */
const STEPS = "application/json-patch+json";
/** kubernetes.io, "Update API Objects in Place Using kubectl patch": lists by the keys of their kind. */
const MERGE_BY_KEY = "application/strategic-merge-patch+json";
/** A Status is short. */
const MOST_STATUS_BYTES = 64 * 1024;

/** @param userAgent what the server's audit log calls the asker */
export function asking(read: ReadAccess, userAgent: string): Ask & Disposable {
  const agent = new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, minVersion: "TLSv1.2" });
  const ask: Ask = async (asked) => {
    const answer = await once(await read(), asked, agent, userAgent);
    // A token that was just renewed may not have been in its file yet when that was read.
    if ("stream" in answer || answer.status !== 401) return answer;
    return once(await read(), asked, agent, userAgent);
  };
  return Object.assign(ask, { [Symbol.dispose]: () => agent.destroy() });
}

async function once(access: Access, asked: Asked, agent: Agent, userAgent: string): Promise<Answer> {
  const { server } = access;
  const stream = await sent(access, asked, agent, userAgent).catch((cause: unknown) => {
    throw unreached(server, cause);
  });
  const { statusCode: status = 0, statusMessage = "", headers } = stream;
  if (status === 200 || status === 201) return { server, stream };
  const seconds = Number(headers["retry-after"]);
  const { message = statusMessage, about } = await said({ server, stream });
  return {
    status,
    message,
    ...(about === undefined ? {} : { about }),
    ...(Number.isFinite(seconds) ? { afterMs: seconds * 1_000 } : {}),
  };
}

/** @throws Error no answer began */
function sent(
  access: Access,
  { path, query = {}, signal, change }: Asked,
  agent: Agent,
  userAgent: string,
): Promise<IncomingMessage> {
  const { server, ca, serverName, certificate, key, token } = access;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const search = new URLSearchParams(query).toString();
  const body = change === undefined ? undefined : JSON.stringify(change.body);
  const asking = request(
    new URL(`${server.pathname.replace(/\/$/, "")}${path}${search === "" ? "" : `?${search}`}`, server),
    {
      agent,
      signal,
      method: change?.method ?? "GET",
      headers: {
        accept: "application/json",
        ...(change === undefined ? {} : { "content-type": contentType(change) }),
        // Of a DELETE Node would not say it.
        ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
        "user-agent": userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(ca === undefined ? {} : { ca }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    },
    resolve,
  );
  asking.once("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
  asking.on("error", (error: NodeJS.ErrnoException) => {
    // The server has ended the connection while nobody used it. Whether it has heard of a change before is not known.
    const isStale = asking.reusedSocket && error.code === "ECONNRESET" && !signal.aborted && change === undefined;
    if (isStale) resolve(sent(access, { path, query, signal }, agent, userAgent));
    else reject(error);
  });
  const timer = setTimeout(() => asking.destroy(new Error(`no answer within ${ANSWER_MS / 1_000} s`)), ANSWER_MS);
  asking.end(body);
  return promise.finally(() => clearTimeout(timer));
}

function contentType({ method, lists, body }: Change): string {
  if (method !== "PATCH") return "application/json";
  if (Array.isArray(body)) return STEPS;
  return lists === "by key" ? MERGE_BY_KEY : MERGE;
}

/** What a Status says; nothing for what is none, as from a proxy. */
async function said(body: Body): Promise<{ readonly message?: string; readonly about?: string }> {
  try {
    const { message, details } = ((await wholeJson(body, MOST_STATUS_BYTES)) ?? {}) as Partial<Record<string, unknown>>;
    const { name } = (details ?? {}) as { readonly name?: unknown };
    return {
      ...(typeof message === "string" && message !== "" ? { message: message.replaceAll(/\s+/g, " ") } : {}),
      ...(typeof name === "string" ? { about: name } : {}),
    };
  } catch (error) {
    if (!isFailure(error, "not-ready")) throw error;
    return {};
  }
}
