/**
 * The members of an etcd cluster, of which one is talked to until it fails: then the next one is. Nodes begin with a
 * member by chance, so that they spread over all. A connection is made when it is needed, and grpc-js makes it again with
 * a backoff of its own; meanwhile requests fail at once.
 */
import { type Client, Metadata, status } from "@grpc/grpc-js";
import { SelvedgeError } from "#lib/errors.ts";
import { Auth, type Method } from "#proto/etcd_pb.ts";
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
  /** From 0 to 1. */
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
  /** Of the whole stream; absent: none. */
  readonly timeoutMs?: number;
}

/** How long one member may take, and all of them together. */
const MEMBER_MS = 4_000;
const REQUEST_MS = 8_000;

export function members(options: MembersOptions): Members {
  const { endpoints, serverName, user, passwordFile, random, onRequest } = options;
  const clients = new Map<number, Client>();
  const { token, over } = session(user, passwordFile);
  const closing = new AbortController();
  let current = Math.floor(random() * endpoints.length);
  let tls: Tls | undefined;
  /** Files may have been renewed since. */
  let isDoubtful = true;

  const forgetClients = (): void => {
    for (const client of clients.values()) client.close();
    clients.clear();
  };

  async function open(index: number, endpoint: string): Promise<Client> {
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
    const client = clientOf(endpoint, tls, serverName);
    clients.set(index, client);
    return client;
  }

  const moveOn = (from: number): void => {
    isDoubtful = true;
    if (current === from) current = (from + 1) % endpoints.length;
  };

  /** Members that have lost the others say so at once instead of waiting for them (etcd: rpctypes/metadatafields.go). */
  async function metadata(client: Client, method: string): Promise<Metadata> {
    const fields = new Metadata();
    fields.set("hasleader", "true");
    if (method === Auth.authenticate.path) return fields;
    const bought = await token(
      async (name, password) => (await unary(client, Auth.authenticate, { name, password }, MEMBER_MS)).token,
    );
    if (bought !== undefined) fields.set("token", bought);
    return fields;
  }

  async function unary<Q, R>(client: Client, method: Method<Q, R>, request: Partial<Q>, timeoutMs: number): Promise<R> {
    const fields = await metadata(client, method.path);
    onRequest(method.path);
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const call = client.makeUnaryRequest(
      method.path,
      (message: Partial<Q>) => method.request.encode(message) as Buffer,
      (bytes) => method.reply.decode(bytes),
      request,
      fields,
      { deadline: Date.now() + timeoutMs },
      (error, reply) => (error === null && reply !== undefined ? resolve(reply) : reject(error)),
    );
    const cancel = (): void => call.cancel();
    closing.signal.addEventListener("abort", cancel);
    try {
      return await promise;
    } finally {
      closing.signal.removeEventListener("abort", cancel);
    }
  }

  /** Gives what `onReply` has thrown; throws what gRPC says. */
  async function stream<Q, R>(
    client: Client,
    method: Method<Q, R>,
    request: Partial<Q>,
    hearing: Hearing<R>,
  ): Promise<{ thrown: unknown } | undefined> {
    const { onReply, timeoutMs } = hearing;
    const fields = await metadata(client, method.path);
    const ends = AbortSignal.any([hearing.signal, closing.signal]);
    if (ends.aborted) return undefined;
    onRequest(method.path);
    const { promise, resolve, reject } = Promise.withResolvers<{ thrown: unknown } | undefined>();
    const call = client.makeBidiStreamRequest(
      method.path,
      (message: Partial<Q>) => method.request.encode(message) as Buffer,
      (bytes) => method.reply.decode(bytes),
      fields,
      timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
    );
    let isOver = false;
    const over = (outcome: { thrown: unknown } | undefined): void => {
      isOver = true;
      resolve(outcome);
    };
    const finish = (): void => over(undefined);
    call.on("data", (reply: R) => {
      if (isOver) return;
      try {
        if (onReply(reply)) finish();
      } catch (thrown) {
        over({ thrown });
      }
    });
    call.on("error", reject);
    call.on("end", () => reject({ code: status.UNAVAILABLE, details: "it has ended the stream" }));
    ends.addEventListener("abort", finish);
    call.write(request);
    try {
      return await promise;
    } finally {
      ends.removeEventListener("abort", finish);
      call.cancel();
    }
  }

  /** What is wrong with a try, after which the next one is with another member or another session. */
  function judge(index: number, endpoint: string, error: unknown): { trouble: Trouble; error: SelvedgeError } {
    if (closing.signal.aborted) return { trouble: "refused", error: closed() };
    const trouble = error instanceof SelvedgeError ? "unsent" : troubleOf(error);
    if (trouble === "token") over();
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
          const leftMs = Math.min(MEMBER_MS, endsMs - performance.now());
          return await unary(await open(index, endpoint), method, request, leftMs);
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
    async hear(method, request, hearing) {
      const index = current;
      const endpoint = endpoints[index] ?? "";
      const outcome = await open(index, endpoint)
        .then((client) => stream(client, method, request, hearing))
        .catch((caught: unknown) => {
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
