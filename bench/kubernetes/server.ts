/** An API server for one who only follows: lists by pages, and watches in which nothing happens. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Identity } from "../../test/store/pki.ts";
import { type Collection, VERSION } from "./cluster.ts";

export interface Server extends AsyncDisposable {
  readonly url: string;
  /** Bytes of all lists so far. */
  readonly toldBytes: number;
}

export async function startServer(
  collections: Readonly<Record<string, Collection>>,
  { certificate, key }: Identity,
): Promise<Server> {
  let toldBytes = 0;
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    async (request, response) => {
      const { pathname, searchParams: query } = new URL(request.url ?? "", "https://localhost");
      await text(request);
      const collection = collections[pathname];
      response.writeHead(collection === undefined ? 404 : 200, { "content-type": "application/json" });
      // A watch is open until whoever asked for it ends it.
      if (collection !== undefined && query.has("watch")) return void response.flushHeaders();
      const answer = JSON.stringify(collection === undefined ? { message: "there are none" } : page(collection, query));
      toldBytes += answer.length;
      response.end(answer);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get toldBytes() {
      return toldBytes;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function page({ apiVersion, kind, count, at }: Collection, query: URLSearchParams): object {
  const from = Number(query.get("continue") ?? "0");
  const to = Math.min(count, from + Number(query.get("limit") ?? count));
  return {
    apiVersion,
    kind: `${kind}List`,
    metadata: { resourceVersion: VERSION, ...(to < count ? { continue: String(to) } : {}) },
    items: Array.from({ length: to - from }, (_, i) => at(from + i)),
  };
}
