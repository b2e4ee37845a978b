/**
 * The members of an etcd cluster, of which one is talked to until it fails: then the next one is. Nodes begin with a
 * member by chance, so that they spread over all. A connection is made when it is needed, and grpc-js makes it again with
 * a backoff of its own; meanwhile requests fail at once.
 */
import { type Client, connectivityState, Metadata } from "@grpc/grpc-js";
import { SelvedgeError } from "#lib/errors.ts";
import { Auth, type Method } from "#proto/etcd_pb.ts";
import { hearing, unary } from "./call.ts";
import { clientOf } from "./channel.ts";
import { refused, type Trouble, troubleOf } from "./refusal.ts";
import { session } from "./session.ts";
import { readTls, type Tls, type TlsFiles } from "./tls.ts";

export interface MembersOptions extends TlsFiles {
  /** `https://192.0.2.10:2379`, all http or all https. */
  readonly endpoints: readonly string[];
  /** In the members' certificates, where it is not the endpoint's host. */
  readonly serverName?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  /** At least 0 and below 1. */
  readonly random: () => number;
  /** Told of every request before it is sent, by the path of its method. */
  readonly onRequest: (path: string) => void;
}

export interface Members extends Disposable {
  /** @param isRepeatable doing it twice is doing it once: it is tried with the next member when its answer was lost */
  ask<Q, R>(method: Method<Q, R>, request: Partial<Q>, isRepeatable: boolean): Promise<R>;
  /**
   * Sends one request and hears replies until the signal, or until `onReply` says that it has heard enough.
   * @throws SelvedgeError store when it ends in any other way
   */
  hear<Q, R>(method: Method<Q, R>, request: Partial<Q>, hearing: Hearing<R>): Promise<void>;
}

export interface Hearing<R> {
  /** True: enough. */
  readonly onReply: (reply: R) => boolean;
  readonly signal: AbortSignal;
}

/**
 * How long grpc-js may try to connect by itself. It has no limit of its own for one try, and TCP waits longer after each
 * packet that is lost: a machine that was silent for a minute would be found again a minute late.
 */
const CONNECT_MS = 4_000;
/** How long one member may take to reply, and all of them together. */
const MEMBER_MS = 4_000;
const REQUEST_MS = 8_000;

interface Connection {
  readonly client: Client;
  /** When it was made, or a request was last answered: performance.now(). */
  goodMs: number;
}

export function members(options: MembersOptions): Members {
  const { endpoints, serverName, user, passwordFile, random, onRequest } = options;
  const clients = new Map<number, Connection>();
  const identity = session(user, passwordFile);
  const closing = new AbortController();
  let current = Math.floor(random() * endpoints.length);
  let tls: Tls | undefined;
  /** Files may have been renewed since. */
  let isDoubtful = true;

  const forgetClients = (): void => {
    for (const { client } of clients.values()) client.close();
    clients.clear();
  };

  async function open(index: number, endpoint: string): Promise<Connection> {
    if (isDoubtful && endpoint.startsWith("https:")) {
      const fresh = await readTls(options);
      if (fresh.identity !== tls?.identity) {
        forgetClients();
        tls = fresh;
      }
      isDoubtful = false;
    }
    if (closing.signal.aborted) throw closed();
    const known = clients.get(index);
    if (known !== undefined) return known;
    const fresh = { client: clientOf(endpoint, tls, serverName), goodMs: performance.now() };
    clients.set(index, fresh);
    return fresh;
  }

  const moveOn = (from: number): void => {
    isDoubtful = true;
    if (current === from) current = (from + 1) % endpoints.length;
    const connection = clients.get(from);
    if (connection === undefined || performance.now() - connection.goodMs < CONNECT_MS) return;
    if (connection.client.getChannel().getConnectivityState(false) === connectivityState.READY) return;
    clients.delete(from);
    connection.client.close();
  };

  /** What goes with every request. @throws SelvedgeError store, and what gRPC says */
  async function metadata(client: Client): Promise<Metadata> {
    const token = await identity.token(async (name, password) => {
      onRequest(Auth.authenticate.path);
      const terms = { metadata: new Metadata(), signal: closing.signal, replyMs: MEMBER_MS };
      return (await unary(client, Auth.authenticate, { name, password }, terms)).token;
    });
    const fields = new Metadata();
    // Members that have lost the others say so at once instead of waiting for them (etcd: rpctypes/metadatafields.go).
    fields.set("hasleader", "true");
    if (token !== undefined) fields.set("token", token);
    return fields;
  }

  /** What is wrong with a try, after which the next one is with another member or another session. */
  function judge(index: number, endpoint: string, error: unknown): { trouble: Trouble; error: SelvedgeError } {
    if (closing.signal.aborted) return { trouble: "refused", error: closed() };
    const trouble = error instanceof SelvedgeError ? "unsent" : troubleOf(error);
    if (trouble === "token") identity.over();
    if (trouble === "lost" || trouble === "unsent") moveOn(index);
    return { trouble, error: refused(endpoint, error) };
  }

  return {
    async ask(method, request, isRepeatable) {
      const endsMs = performance.now() + REQUEST_MS;
      let renewed = false;
      for (let tries = 1; ; tries++) {
        const index = current;
        const endpoint = endpoints[index] ?? "";
        try {
          const connection = await open(index, endpoint);
          const terms = { metadata: await metadata(connection.client), signal: closing.signal };
          onRequest(method.path);
          const replyMs = Math.min(MEMBER_MS, endsMs - performance.now());
          const reply = await unary(connection.client, method, request, { ...terms, replyMs });
          connection.goodMs = performance.now();
          return reply;
        } catch (caught) {
          const { trouble, error } = judge(index, endpoint, caught);
          const again =
            (trouble === "token" && !renewed) ||
            ((trouble === "unsent" || (trouble === "lost" && isRepeatable)) && tries < endpoints.length);
          renewed ||= trouble === "token";
          if (!again || performance.now() > endsMs) throw error;
        }
      }
    },
    async hear(method, request, { signal, ...more }) {
      const index = current;
      const endpoint = endpoints[index] ?? "";
      const begin = async () => {
        const { client } = await open(index, endpoint);
        const terms = { metadata: await metadata(client), signal: AbortSignal.any([signal, closing.signal]) };
        onRequest(method.path);
        return await hearing(client, method, request, { ...terms, ...more, replyMs: MEMBER_MS });
      };
      const outcome = await begin().catch((caught: unknown) => {
        throw judge(index, endpoint, caught).error;
      });
      if (outcome !== undefined) throw outcome.thrown;
    },
    [Symbol.dispose]() {
      closing.abort();
      forgetClients();
    },
  };
}

const closed = (): SelvedgeError => new SelvedgeError({ kind: "store" }, "etcd: this client is closed");
