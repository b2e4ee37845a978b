/**
 * An API server that holds what it is given: lists by pages, watches with bookmarks, 410 for what is compacted, 401, 403. It is
 * strict: what a real one would take otherwise than the asker may think is a mistake, and is kept for the test to see.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { basename, dirname } from "node:path/posix";
import { text } from "node:stream/consumers";
import { CONFIGURED } from "#lib/k8s/api/resource.ts";
import { KINDS as STORED } from "#lib/store/kubernetes/kinds.ts";
import type { Identity } from "../../store/pki.ts";
import { freePort } from "../free-port.ts";
import { type ApiObject, collection, type Happened } from "./collection.ts";
import { patchStatus } from "./pod-status.ts";
import { write } from "./writes.ts";

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Those that are written, too: Leases in the namespace `selvedge`, and what a shared store is made of. */
const WRITTEN: Readonly<Record<string, Kind>> = {
  "/apis/coordination.k8s.io/v1/namespaces/selvedge/leases": { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
  ...Object.fromEntries(STORED.map(({ path, apiVersion, kind }) => [path, { apiVersion, kind }])),
};
/** By the path of all there are. */
const KINDS: Readonly<Record<string, Kind>> = {
  "/api/v1/pods": { apiVersion: "v1", kind: "Pod" },
  "/api/v1/namespaces": { apiVersion: "v1", kind: "Namespace" },
  "/api/v1/secrets": { apiVersion: "v1", kind: "Secret" },
  "/apis/networking.k8s.io/v1/networkpolicies": { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies": {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
  },
  "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions": {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
  },
  ...Object.fromEntries(CONFIGURED.map(({ path, apiVersion, kind }) => [path, { apiVersion, kind }])),
  ...WRITTEN,
};
/** One of those that are in a namespace. */
const NAMED = /^(\/apis?\/.+)\/namespaces\/([^/]+)\/(pods|secrets|network-attachment-definitions)\/([^/]+)(\/status)?$/;
/** Of one of the project's own kinds. */
const SAID = /^(\/apis\/selvedge\.dev\/v1alpha1\/[a-z]+)\/([^/]+)\/status$/;
const STEPS = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const NOT_ENDED = "status.phase!=Succeeded,status.phase!=Failed";
const LIST_KEYS = ["limit", "continue", "fieldSelector", "labelSelector"];
const WATCH_KEYS = ["watch", "allowWatchBookmarks", "resourceVersion", "timeoutSeconds", "fieldSelector"];

export interface FakeApiServer extends AsyncDisposable {
  readonly url: string;
  readonly objects: ReturnType<typeof collection>;
  /** Who may ask. */
  readonly tokens: Set<string>;
  /** `list pods`, `watch networkpolicies`, `get pods`: answered with 403. */
  readonly forbidden: Set<string>;
  /** Kinds that this cluster does not know. */
  readonly unknown: Set<string>;
  /** At most so many objects in a page, however many are asked for. */
  pageSize: number;
  /** Called after each page of a list. */
  onPage: () => void;
  /** What was asked, in order: `list pods`. */
  readonly asked: string[];
  /** What no client should ask. */
  readonly mistakes: string[];
  /** Tells all watchers how far they are. */
  bookmark(): void;
  /** Ends all watches, as after their time. */
  endWatches(): void;
  /** Tells all watchers that what they follow is gone. */
  expireWatches(): void;
  /** Nobody is let in, and all connections end. */
  away(): Promise<void>;
  back(): Promise<void>;
}

interface Watcher {
  readonly kind: Kind;
  readonly isSelective: boolean;
  send(event: unknown): void;
  end(): void;
}

export async function fakeApiServer(identity: Identity, token: string): Promise<FakeApiServer> {
  const watchers = new Set<Watcher>();
  const sockets = new Set<Socket>();
  const objects = collection((happened) => {
    for (const watcher of watchers) tell(watcher, happened);
  });
  const server = createServer(
    { cert: readFileSync(identity.certificate), key: readFileSync(identity.key) },
    (request, response) => answer(request, response),
  );
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  const away = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await freePort();
  await listen(port);

  const fake: FakeApiServer = {
    url: `https://127.0.0.1:${port}`,
    objects,
    tokens: new Set([token]),
    forbidden: new Set(),
    unknown: new Set(),
    pageSize: 500,
    onPage: () => {},
    asked: [],
    mistakes: [],
    bookmark() {
      for (const { kind, send } of watchers)
        send({ type: "BOOKMARK", object: { ...kind, metadata: { resourceVersion: `${objects.version}` } } });
    },
    endWatches() {
      for (const watcher of [...watchers]) watcher.end();
    },
    expireWatches() {
      for (const { send, end } of [...watchers]) {
        send({ type: "ERROR", object: statusOf(410, "too old resource version") });
        end();
      }
    },
    away,
    back: () => listen(port),
    [Symbol.asyncDispose]: away,
  };

  /** Why it is not answered, if it is not. */
  function refusalOf(request: IncomingMessage, what: string, kind: Kind | undefined): Refusal | undefined {
    const bearer = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    if (!fake.tokens.has(bearer)) return [401, "Unauthorized"];
    if (fake.forbidden.has(what)) return [403, `User "node" cannot ${what} at the cluster scope`];
    if (kind === undefined || fake.unknown.has(kind.kind))
      return [404, "the server could not find the requested resource"];
    return undefined;
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams: query } = new URL(request.url ?? "", fake.url);
    const [above, last] = [dirname(pathname), decodeURIComponent(basename(pathname))];
    if (above in WRITTEN) return void one(request, response, above, last);
    if (pathname in WRITTEN && request.method !== "GET") return void one(request, response, pathname);
    const [, list, named] = SAID.exec(pathname) ?? [];
    const said = KINDS[list ?? ""];
    if (said !== undefined && named !== undefined && request.method === "PATCH")
      return void say(request, response, { ...said, metadata: { name: named } });
    const [, group, namespace = "", plural = basename(pathname), name, status] = NAMED.exec(pathname) ?? [];
    const kind = name === undefined ? KINDS[pathname] : KINDS[`${group}/${plural}`];
    if (status !== undefined && kind !== undefined && request.method === "PATCH")
      return void patch(request, response, { ...kind, metadata: { namespace, name: name ?? "" } });
    const verb = name !== undefined ? "get" : query.has("watch") ? "watch" : "list";
    const what = `${verb} ${plural}`;
    fake.asked.push(what);
    if (request.method !== "GET") fake.mistakes.push(`${request.method} ${pathname}`);
    const keys: readonly string[] = { get: [], list: LIST_KEYS, watch: WATCH_KEYS }[verb];
    for (const key of query.keys()) if (!keys.includes(key)) fake.mistakes.push(`${what} ${key}`);
    const refused = refusalOf(request, what, kind);
    if (refused !== undefined || kind === undefined) refuse(response, refused);
    else if (verb === "watch") watch(kind, query, response);
    else if (verb === "list") page(kind, query, response);
    else {
      const found = objects.find({ ...kind, metadata: { namespace, name: name ?? "" } });
      if (found === undefined) refuse(response, [404, `${plural} "${name}" not found`]);
      else response.end(JSON.stringify(found));
    }
  }

  /** What is said of a pod: annotations, and which pod of the name is meant. */
  async function patch(request: IncomingMessage, response: ServerResponse, pod: ApiObject): Promise<void> {
    const what = "patch pods/status";
    fake.asked.push(what);
    const body = JSON.parse(await text(request)) as ApiObject;
    if (request.headers["content-type"] !== MERGE) fake.mistakes.push(`${what} as ${request.headers["content-type"]}`);
    const keys = [...Object.keys(body), ...Object.keys(body.metadata)];
    if (keys.some((key) => !["metadata", "annotations", "uid"].includes(key)))
      fake.mistakes.push(`${what} of ${keys.join()}`);
    const refused = refusalOf(request, what, pod);
    if (refused !== undefined) return refuse(response, refused);
    const [code, said] = patchStatus(objects, pod, body);
    if (typeof said === "string") return refuse(response, [code, said, pod.metadata.name]);
    response.end(JSON.stringify(said));
  }

  /** What is said of a part of the configuration: of the object that is meant, all of its status. */
  async function say(request: IncomingMessage, response: ServerResponse, of: ApiObject): Promise<void> {
    const what = `patch ${of.kind}/status`;
    fake.asked.push(what);
    const [test, add, ...more] = JSON.parse(await text(request)) as { op: string; path: string; value: object }[];
    if (request.headers["content-type"] !== STEPS) fake.mistakes.push(`${what} as ${request.headers["content-type"]}`);
    const steps = [test, add, ...more].map((step) => `${step?.op} ${step?.path}`).join();
    if (steps !== "test /metadata/uid,add /status") fake.mistakes.push(`${what} by ${steps}`);
    const refused = refusalOf(request, what, of);
    if (refused !== undefined) return refuse(response, refused);
    const before = objects.find(of);
    if (before === undefined) return refuse(response, [404, `"${of.metadata.name}" not found`, of.metadata.name]);
    if (`${test?.value}` !== before.metadata.uid)
      return refuse(response, [422, "the server rejected our request due to an error in our request"]);
    objects.put({ ...before, status: { ...add?.value } });
    response.end(JSON.stringify(objects.find(of)));
  }

  /** One of those that are written. @param name absent: one more */
  async function one(request: IncomingMessage, response: ServerResponse, path: string, name?: string): Promise<void> {
    const kind = WRITTEN[path];
    const method = request.method ?? "";
    const what = `${method.toLowerCase()} ${basename(path)}`;
    fake.asked.push(what);
    const body = JSON.parse((await text(request)) || "{}") as ApiObject;
    const refused = refusalOf(request, what, kind);
    if (refused !== undefined || kind === undefined) return refuse(response, refused);
    const place = kind.kind === "Lease" ? { namespace: "selvedge" } : {};
    const found = objects.find({ ...kind, metadata: { ...place, name: name ?? "" } });
    const [code, said] =
      method === "GET"
        ? ([found === undefined ? 404 : 200, found ?? `"${name}" not found`] as const)
        : write(objects, { method, kind, body, ...place, ...(name === undefined ? {} : { name }) });
    if (typeof said === "string") return refuse(response, name === undefined ? [code, said] : [code, said, name]);
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(said));
  }

  function page(kind: Kind, query: URLSearchParams, response: ServerResponse): void {
    const limit = Number(query.get("limit"));
    if (!(limit > 0)) fake.mistakes.push(`list ${kind.kind} without limit`);
    if (kind.kind === "Pod" && query.get("fieldSelector") !== NOT_ENDED)
      fake.mistakes.push("list pods that have ended");
    // Where the page begins, and the version of all pages.
    const [from = 0, version = objects.version] = (query.get("continue") ?? "").split("@").filter(Boolean).map(Number);
    if (version < objects.compacted) {
      refuse(response, [410, "The provided continue parameter is too old to display a consistent list result."]);
      return;
    }
    const label = query.get("labelSelector");
    const all = objects
      .of(kind.apiVersion, kind.kind)
      .filter(
        (object) =>
          !isEnded(object) && (label === null || Object.hasOwn((object.metadata.labels ?? {}) as object, label)),
      );
    const to = from + Math.min(fake.pageSize, limit);
    const items = all.slice(from, to).map(({ apiVersion: _, kind: __, ...item }) => item);
    const next = to < all.length ? { continue: `${to}@${version}` } : {};
    const metadata = { resourceVersion: `${version}`, ...next };
    fake.onPage();
    response.end(JSON.stringify({ apiVersion: kind.apiVersion, kind: `${kind.kind}List`, metadata, items }));
  }

  function watch(kind: Kind, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get("resourceVersion") ?? "");
    if (!(from > 0)) fake.mistakes.push("watch from nowhere");
    if (query.get("allowWatchBookmarks") !== "true") fake.mistakes.push("watch without bookmarks");
    if (!(Number(query.get("timeoutSeconds")) > 0)) fake.mistakes.push("watch without an end");
    const isSelective = query.get("fieldSelector") === NOT_ENDED;
    if (isSelective !== (kind.kind === "Pod")) fake.mistakes.push(`watch ${kind.kind} with another selector`);
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const watcher: Watcher = {
      kind,
      isSelective,
      send: (event) => void response.write(`${JSON.stringify(event)}\n`),
      end: () => {
        watchers.delete(watcher);
        response.end();
      },
    };
    if (from < objects.compacted) {
      const message = `too old resource version: ${from} (${objects.compacted})`;
      watcher.send({ type: "ERROR", object: statusOf(410, message) });
      watcher.end();
      return;
    }
    watchers.add(watcher);
    response.once("close", () => watchers.delete(watcher));
    for (const happened of objects.since(from)) tell(watcher, happened);
  }
  return fake;
}

type Refusal = readonly [code: number, message: string, name?: string];

function refuse(response: ServerResponse, [code, message, name]: Refusal = [500, "no such kind"]): void {
  const status = { ...statusOf(code, message), ...(name === undefined ? {} : { details: { name } }) };
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(status));
}

const isEnded = ({ status }: ApiObject): boolean => ["Succeeded", "Failed"].includes(status?.phase ?? "");

/** To whom only some are told, one that is no more among them is deleted. */
function tell({ kind, isSelective, send }: Watcher, { type, object, before }: Happened): void {
  if (object.kind !== kind.kind || object.apiVersion !== kind.apiVersion) return;
  const [was, is] = [before !== undefined && !isEnded(before), type !== "DELETED" && !isEnded(object)];
  if (!isSelective) send({ type, object });
  else if (is) send({ type: was ? "MODIFIED" : "ADDED", object });
  else if (was) send({ type: "DELETED", object });
}

const statusOf = (code: number, message: string) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message,
  code,
});
