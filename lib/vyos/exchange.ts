/** One HTTP request over a connection that is made, and its answer. */
import { request } from "node:http";
import type { TLSSocket } from "node:tls";
import { type Answer, trouble } from "./answer.ts";

export interface Exchange {
  readonly to: URL;
  readonly socket: TLSSocket;
  /** From the request to the end of the answer. */
  readonly timeoutMs: number;
  /** A form, or JSON; absent: GET. */
  readonly body?: string;
}

/** No configuration that a router answers is larger, bytes. */
const LARGEST = 64 * 1024 * 1024;

/** @throws SelvedgeError router unknown: it was asked, and whether it did is not known */
export function exchange(router: string, { to, socket, timeoutMs, body }: Exchange): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (text: string, cause?: Error): void => {
    socket.destroy();
    reject(trouble(router, "unknown", text, cause));
  };
  const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1_000} s`), timeoutMs);
  const asking = request(
    {
      createConnection: () => socket,
      host: to.hostname,
      path: `${to.pathname}${to.search}`,
      method: body === undefined ? "GET" : "POST",
      headers: {
        connection: "close",
        ...(body === undefined
          ? {}
          : {
              "content-type": body.startsWith("{") ? "application/json" : "application/x-www-form-urlencoded",
              "content-length": Buffer.byteLength(body),
            }),
      },
    },
    (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on("data", (part: Buffer) => {
        parts.push(part);
        bytes += part.length;
        if (bytes > LARGEST) fail(`the answer is larger than ${LARGEST} bytes`);
      });
      answer.once("aborted", () => fail("the connection was lost within the answer"));
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
    },
  );
  asking.once("error", (cause) => fail(`the connection was lost: ${cause.message}`, cause));
  asking.end(body);
  return promise.finally(() => clearTimeout(timer));
}
