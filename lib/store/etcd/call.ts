/** Calls of a generated service by a grpc-js client, as promises that end with a signal. What they throw is gRPC's. */
import { type Client, type Metadata, status } from "@grpc/grpc-js";
import type { Method } from "#proto/etcd_pb.ts";

export interface Terms {
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
  /** How long the reply, or the first of them, may take. */
  readonly replyMs: number;
}

export async function unary<Q, R>(client: Client, method: Method<Q, R>, request: Partial<Q>, terms: Terms): Promise<R> {
  const { promise, resolve, reject } = Promise.withResolvers<R>();
  const call = client.makeUnaryRequest(
    method.path,
    (message: Partial<Q>) => method.request.encode(message) as Buffer,
    (bytes) => method.reply.decode(bytes),
    request,
    terms.metadata,
    { deadline: Date.now() + terms.replyMs },
    (error, reply) => (error === null && reply !== undefined ? resolve(reply) : reject(error)),
  );
  const cancel = (): void => call.cancel();
  terms.signal.addEventListener("abort", cancel);
  try {
    return await promise;
  } finally {
    terms.signal.removeEventListener("abort", cancel);
  }
}

/**
 * Sends one request, leaves the stream open, and hears replies until the signal or until `onReply` is true.
 * Gives what `onReply` has thrown.
 */
export async function hearing<Q, R>(
  client: Client,
  method: Method<Q, R>,
  request: Partial<Q>,
  terms: Terms & { readonly onReply: (reply: R) => boolean },
): Promise<{ readonly thrown: unknown } | undefined> {
  if (terms.signal.aborted) return undefined;
  const { promise, resolve, reject } = Promise.withResolvers<{ thrown: unknown } | undefined>();
  const call = client.makeBidiStreamRequest(
    method.path,
    (message: Partial<Q>) => method.request.encode(message) as Buffer,
    (bytes) => method.reply.decode(bytes),
    terms.metadata,
  );
  let isOver = false;
  const finish = (outcome?: { thrown: unknown }): void => {
    isOver = true;
    resolve(outcome);
  };
  const end = (): void => finish();
  const silent = setTimeout(() => reject({ code: status.DEADLINE_EXCEEDED, details: "no reply" }), terms.replyMs);
  call.on("data", (reply: R) => {
    clearTimeout(silent);
    if (isOver) return;
    try {
      if (terms.onReply(reply)) finish();
    } catch (thrown) {
      finish({ thrown });
    }
  });
  call.on("error", reject);
  call.on("end", () => reject({ code: status.UNAVAILABLE, details: "it has ended the stream" }));
  terms.signal.addEventListener("abort", end);
  call.write(request);
  try {
    return await promise;
  } finally {
    clearTimeout(silent);
    terms.signal.removeEventListener("abort", end);
    call.cancel();
  }
}
