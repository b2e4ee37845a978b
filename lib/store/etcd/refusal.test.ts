import { status } from "@grpc/grpc-js";
import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { refused, type Trouble, troubleOf } from "./refusal.ts";

const cases: [code: status, details: string, trouble: Trouble, message: string, hint: RegExp | undefined][] = [
  [
    status.UNAVAILABLE,
    "No connection established. Last error: connect ECONNREFUSED 192.0.2.1:2379. Resolution note: ",
    "unsent",
    "no connection: connect ECONNREFUSED 192.0.2.1:2379",
    /Is etcd running/,
  ],
  [
    status.UNAVAILABLE,
    "No connection established. Last error: Failed to connect (2026-11-21T09:08:39.496Z). Resolution note: ",
    "unsent",
    "no connection: Failed to connect",
    /https or http/,
  ],
  [
    status.UNAVAILABLE,
    "No connection established. Last error: Error: certificate has expired. Resolution note: ",
    "unsent",
    "no connection: certificate has expired",
    /out of date/,
  ],
  [
    status.UNAVAILABLE,
    "Name resolution failed for target dns:a:2379",
    "unsent",
    "Name resolution failed for target dns:a:2379",
    /getent/,
  ],
  [status.UNAVAILABLE, "Connection dropped", "lost", "Connection dropped", /Is etcd running/],
  [status.UNAVAILABLE, "etcdserver: no leader", "lost", "etcdserver: no leader", /endpoint status/],
  [status.DEADLINE_EXCEEDED, "Deadline exceeded after 4s", "lost", "does not answer in time", /Is etcd running/],
  [
    status.UNAUTHENTICATED,
    "etcdserver: invalid auth token",
    "token",
    "etcdserver: invalid auth token",
    /with its password/,
  ],
  [
    status.INVALID_ARGUMENT,
    "etcdserver: revision of auth store is old",
    "token",
    "etcdserver: revision of auth store is old",
    undefined,
  ],
  [
    status.INVALID_ARGUMENT,
    "etcdserver: user name is empty",
    "refused",
    "etcdserver: user name is empty",
    /passwordFile/,
  ],
  [
    status.PERMISSION_DENIED,
    "etcdserver: permission denied",
    "refused",
    "etcdserver: permission denied",
    /grant-permission/,
  ],
  [
    status.RESOURCE_EXHAUSTED,
    "etcdserver: mvcc: database space exceeded",
    "refused",
    "etcdserver: mvcc: database space exceeded",
    /defrag/,
  ],
  [
    status.NOT_FOUND,
    "etcdserver: requested lease not found",
    "no-lease",
    "etcdserver: requested lease not found",
    undefined,
  ],
  [
    status.OUT_OF_RANGE,
    "etcdserver: mvcc: required revision has been compacted",
    "refused",
    "etcdserver: mvcc: required revision has been compacted",
    undefined,
  ],
];
test.each(cases)("%i %s", (code, details, trouble, message, hint) => {
  const error = { code, details };
  expect(troubleOf(error)).toBe(trouble);
  const told = refused("http://192.0.2.1:2379", error);
  expect(told.failure).toEqual({ kind: "store" });
  expect(told.message).toBe(`etcd at http://192.0.2.1:2379: ${message}`);
  if (hint === undefined) expect(told.hint).toBeUndefined();
  else expect(told.hint).toMatch(hint);
});

test("what is no answer at all is not tried elsewhere", () => expect(troubleOf(undefined)).toBe("refused"));

test("what is said already is passed on", () => {
  const error = new SelvedgeError({ kind: "store" }, "etcd: ENOENT");
  expect(refused("http://192.0.2.1:2379", error)).toBe(error);
});
