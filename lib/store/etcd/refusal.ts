/** What etcd and gRPC say, in words that name the endpoint and what to do; and what it means for the request. */
import { type ServiceError, status } from "@grpc/grpc-js";
import { SelvedgeError } from "#lib/errors.ts";

/**
 * `unsent`: the request has not left; another member may be asked. `lost`: it is not known whether it was carried out.
 * `token`: the session is over, and a new one may do. `no-lease`: the lease is gone. `refused`: every member would say so.
 */
export type Trouble = "unsent" | "lost" | "token" | "no-lease" | "refused";

/** grpc-js, load-balancer-pick-first.ts and resolver-dns.ts (1.14). */
const UNSENT = ["No connection established", "Name resolution failed"];

export function troubleOf(error: unknown): Trouble {
  const { code, details = "" } = (error ?? {}) as Partial<ServiceError>;
  switch (code) {
    case status.UNAVAILABLE:
      return UNSENT.some((start) => details.startsWith(start)) ? "unsent" : "lost";
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
    case status.INTERNAL:
    case status.UNKNOWN:
      return "lost";
    case status.UNAUTHENTICATED:
      return "token";
    case status.NOT_FOUND:
      return details.includes("lease not found") ? "no-lease" : "refused";
    default:
      return details.includes("revision of auth store is old") ? "token" : "refused";
  }
}

/** The first row whose words are in what was said (etcd: api/v3rpc/rpctypes/error.go; the rest: OpenSSL and Node). */
const HINTS: readonly [words: RegExp, hint: string][] = [
  [
    /permission denied/,
    "The user needs readwrite on the prefix: `etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX`.",
  ],
  [
    /user name is empty/,
    "etcd asks for a user: set cluster.store.etcd.user and passwordFile, or a client certificate whose common name is one.",
  ],
  [/invalid user ID or password|invalid auth token/, "Compare cluster.store.etcd.user and the file with its password."],
  [
    /authentication is not enabled/,
    "etcd knows no users: remove cluster.store.etcd.user, or run `etcdctl auth enable`.",
  ],
  [
    /database space exceeded/,
    "etcd is full and takes no writes: `etcdctl compact`, `etcdctl defrag`, then `etcdctl alarm disarm`.",
  ],
  [
    /certificate has expired|certificate is not yet valid/,
    "The member's certificate is out of date, or this machine's clock is wrong.",
  ],
  [
    /self.signed|unable to (verify|get)|unknown ca|issuer/i,
    "cluster.store.etcd.ca must hold the authority that signed the member's certificate.",
  ],
  [
    /altnames|Hostname\/IP/,
    "The member's certificate is for another name: set cluster.store.etcd.serverName, or name that endpoint.",
  ],
  [
    /alert (bad|certificate|handshake)|certificate required|ECONNRESET|wrong version number|socket hang up|disconnected before secure|Failed to connect/i,
    "The member may ask for another certificate, or for https or http: compare certificate, key and endpoints in cluster.store.etcd.",
  ],
  [
    /no leader|leader changed|timed out/,
    "The members of etcd do not agree with each other: `etcdctl endpoint status`.",
  ],
  [/Name resolution failed/, "The endpoint's name is unknown here: `getent hosts NAME`."],
];

const AWAY = "Is etcd running and reached from here? `etcdctl --endpoints=ENDPOINT endpoint health`.";

/** Without what grpc-js says of itself. */
const shortened = (said: string): string =>
  said
    .replace(/^No connection established\. Last error: (Error: )?/, "no connection: ")
    .replace(/\.? Resolution note:.*$/, "")
    .replace(/ \(\d{4}-[-\dT:.]+Z\)$/, "");

export function refused(endpoint: string, error: unknown): SelvedgeError {
  if (error instanceof SelvedgeError) return error;
  const { code, details, message } = error as Partial<ServiceError>;
  const said = shortened(details || message || String(error));
  const what = code === status.DEADLINE_EXCEEDED ? "does not answer in time" : said;
  const hint =
    HINTS.find(([words]) => words.test(said))?.[1] ??
    (["unsent", "lost"].includes(troubleOf(error)) ? AWAY : undefined);
  return new SelvedgeError({ kind: "store" }, `etcd at ${endpoint}: ${what}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
