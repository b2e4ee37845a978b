/** Who gets in: TLS with client certificates, etcd's own users, and what is said to those who do not. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@jest/globals";
import { isFailure, type SelvedgeError } from "#lib/errors.ts";
import { type EtcdOptions, etcd } from "#lib/store/etcd/etcd.ts";
import { follow, until } from "#lib/store/shared-contract.ts";
import { needing } from "../support/requirement.ts";
import { ETCD, etcdServer } from "./etcd-server.ts";
import { pki } from "./pki.ts";

const test = needing({ file: ETCD }, { program: "openssl" });

const open = (endpoint: string, more: Partial<EtcdOptions>) =>
  etcd({ endpoints: [endpoint], prefix: "/t/", livenessSeconds: 5, ...more });

/** What one request is refused with. */
async function refusal(endpoint: string, more: Partial<EtcdOptions>): Promise<SelvedgeError> {
  await using shared = open(endpoint, more);
  const error: unknown = await shared.get("k").then(
    () => new Error("it was answered"),
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error, "store")) throw error;
  return error;
}

test("a client certificate of the right authority gets in, and everybody else is told why not", async () => {
  using certificates = pki();
  const ours = certificates.authority("ours");
  const theirs = certificates.authority("theirs");
  const member = ours.issue("member", ["IP:127.0.0.1", "DNS:etcd.example"]);
  const client = ours.issue("selvedge");
  await using server = await etcdServer({ ...member, ca: ours.ca });
  const { endpoint } = server;
  {
    await using shared = open(endpoint, { ca: ours.ca, ...client });
    using following = follow(shared, "");
    expect(await shared.put("k", "v", { whileAlive: true })).toBeDefined();
    await until("a watch tells it", () => following.known.get("k") === "v");
  }
  {
    await using named = open(endpoint, { ca: ours.ca, ...client, serverName: "etcd.example" });
    expect((await named.get("k"))?.value).toBe("v");
  }
  const cases: [what: Partial<EtcdOptions>, says: RegExp, hint: RegExp][] = [
    [{ ca: theirs.ca, ...client }, /verify|issuer|self.signed/, /etcd\.ca must hold the authority/],
    [client, /verify|issuer|self.signed/, /etcd\.ca must hold the authority/],
    [{ ca: ours.ca, ...client, serverName: "other.example" }, /altnames/, /set cluster\.store\.etcd\.serverName/],
    [{ ca: ours.ca, ...theirs.issue("stranger") }, /etcd at https/, /compare certificate, key and endpoints/],
    [{ ca: ours.ca }, /etcd at https/, /compare certificate, key and endpoints/],
    [{ ca: ours.ca, certificate: client.certificate, key: member.key }, /key values mismatch/, /the key that of/],
    [{ ca: join(certificates.directory, "none.pem"), ...client }, /ENOENT.*none\.pem/, /names the file/],
  ];
  for (const [options, says, hint] of cases) {
    const error = await refusal(endpoint, options);
    expect([error.message, error.hint]).toEqual([expect.stringMatching(says), expect.stringMatching(hint)]);
  }
  const plain = await refusal(endpoint.replace("https:", "http:"), {});
  expect([plain.message, plain.hint]).toEqual([
    expect.stringContaining("etcd at http://127.0.0.1"),
    expect.stringMatching(/https or http/),
  ]);
});

test("an expired certificate of a member is named as such, and a renewed one is taken", async () => {
  using certificates = pki();
  const ours = certificates.authority("ours");
  const old = ours.issue("member", ["IP:127.0.0.1"], -1);
  const member = { certificate: join(certificates.directory, "m.pem"), key: join(certificates.directory, "m.key") };
  copyFileSync(old.certificate, member.certificate);
  copyFileSync(old.key, member.key);
  // Ours is expired at first, too, and renewed in place.
  const client = ours.issue("selvedge");
  const own = { certificate: join(certificates.directory, "c.pem"), key: join(certificates.directory, "c.key") };
  const stale = ours.issue("selvedge", [], -1);
  copyFileSync(stale.certificate, own.certificate);
  copyFileSync(stale.key, own.key);
  await using server = await etcdServer({ ...member, ca: ours.ca });
  await using shared = open(server.endpoint, { ca: ours.ca, ...own });
  await expect(shared.get("k")).rejects.toMatchObject({
    message: expect.stringMatching(/etcd at https:.*certificate has expired/),
    hint: expect.stringContaining("out of date"),
  });
  const renewed = ours.issue("member", ["IP:127.0.0.1"]);
  copyFileSync(renewed.certificate, member.certificate);
  copyFileSync(renewed.key, member.key);
  await expect(until("still refused", () => shared.get("k").then(Boolean, () => false), 3_000)).rejects.toThrow();
  copyFileSync(client.certificate, own.certificate);
  copyFileSync(client.key, own.key);
  await until("let in", () =>
    shared.get("k").then(
      () => true,
      () => false,
    ),
  );
});

test("etcd's users: the password, the permission, and a session that ends", async () => {
  await using server = await etcdServer();
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const { call, endpoint } = server;
  await call("/v3/auth/user/add", { name: "root", password: "r" });
  await call("/v3/auth/user/add", { name: "selvedge", password: "secret" });
  await call("/v3/auth/user/grant", { user: "root", role: "root" });
  await call("/v3/auth/role/add", { name: "net" });
  await call("/v3/auth/role/grant", {
    name: "net",
    perm: { permType: "READWRITE", key: base64("/t/"), range_end: base64("/t0") },
  });
  await call("/v3/auth/user/grant", { user: "selvedge", role: "net" });
  using certificates = pki();
  const passwordFile = join(certificates.directory, "password");
  writeFileSync(passwordFile, "secret\n");
  const user = { user: "selvedge", passwordFile };
  expect((await refusal(endpoint, user)).hint).toContain("etcdctl auth enable");
  await call("/v3/auth/enable", {});

  await using shared = open(endpoint, user);
  using following = follow(shared, "");
  await shared.put("k", "1", { whileAlive: true });
  await until("a watch tells it", () => following.known.get("k") === "1");
  // etcd keeps sessions in memory: after a restart it knows none of them.
  await server.stop();
  await server.start();
  await until("a new session", () =>
    shared.put("k", "2").then(
      () => true,
      () => false,
    ),
  );
  await until("the watch goes on", () => following.known.get("k") === "2", 20_000);

  expect(await refusal(endpoint, {})).toMatchObject({ hint: expect.stringContaining("passwordFile") });
  expect(await refusal(endpoint, { ...user, prefix: "/other/" })).toMatchObject({
    message: `etcd at ${endpoint}: etcdserver: permission denied`,
    hint: expect.stringContaining("grant-permission"),
  });
  writeFileSync(passwordFile, "wrong");
  expect(await refusal(endpoint, user)).toMatchObject({ hint: expect.stringContaining("the file with its password") });
  expect(await refusal(endpoint, { user: "u", passwordFile: "/none" })).toMatchObject({
    message: expect.stringContaining("ENOENT"),
    hint: expect.stringContaining("passwordFile"),
  });
  await using stranger = open(endpoint, { ...user, prefix: "/other/" });
  writeFileSync(passwordFile, "secret");
  const why: (string | undefined)[] = [];
  const ends = new AbortController();
  const watching = stranger.watch(
    "",
    () => {},
    ends.signal,
    (connected, error) => {
      why.push(connected ? "connected" : error?.message);
    },
  );
  await until("the watch says why", () => why.length > 0);
  expect(why).toEqual([`etcd at ${endpoint}: etcdserver: permission denied`]);
  ends.abort();
  await watching;
});
