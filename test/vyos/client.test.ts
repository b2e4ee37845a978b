/** What may go wrong between the daemon and a router, over TLS. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, test } from "@jest/globals";
import type { Version } from "#lib/edge/dialect.ts";
import { isFailure, type RouterTrouble } from "#lib/errors.ts";
import { type VyosOptions, vyos } from "#lib/vyos/http.ts";
import { pki } from "../store/pki.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { type Standin, standin } from "../support/vyos/standin.ts";

const KEY = "s3cret key";
const ROUTE = ["protocols", "static", "route", "10.66.0.0/16", "blackhole"];

async function troubleOf(work: Promise<unknown>): Promise<RouterTrouble | "done"> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (!isFailure(error, "router")) throw error;
    expect(`${error.message} ${error.hint ?? ""} ${String(error.cause)}`).not.toContain(KEY);
    return error.failure.why;
  }
}

const onRouter = needing({ file: grammarFile("1.4") }, { program: "openssl" });
const withRouter =
  (
    work: (
      router: Standin,
      options: VyosOptions,
      certificates: { other: string; fingerprint: string },
    ) => Promise<void>,
    version: Version = "1.4",
  ) =>
  async () => {
    using certificates = pki();
    const [authority, other] = [certificates.authority("edge-ca"), certificates.authority("other-ca")];
    const identity = authority.issue("edge1", ["IP:127.0.0.1"]);
    await using router = await standin(version, identity);
    const { fingerprint256: fingerprint } = new X509Certificate(readFileSync(identity.certificate));
    const options = {
      name: "edge1",
      url: router.url,
      key: async () => KEY,
      trust: { ca: authority.ca },
      commitMs: 60_000,
    };
    await work(router, options, { other: other.ca, fingerprint });
  };

onRouter(
  "a certificate of another authority, or another than the pinned one, gets no request",
  withRouter(async (router, options, { other, fingerprint }) => {
    expect(await troubleOf(vyos({ ...options, trust: { ca: other } }).read(["policy"]))).toBe("untrusted");
    expect(await troubleOf(vyos({ ...options, trust: {} }).read(["policy"]))).toBe("untrusted");
    expect(await troubleOf(vyos({ ...options, trust: { fingerprint: "00".repeat(32) } }).read(["policy"]))).toBe(
      "untrusted",
    );
    expect(router.requests).toEqual([]);
    expect(await troubleOf(vyos({ ...options, trust: { fingerprint } }).read(["policy"]))).toBe("done");
  }),
);

onRouter(
  "a wrong key is denied; the right one is found without a restart",
  withRouter(async (_router, options) => {
    let key = "another";
    const router = vyos({ ...options, key: async () => key });
    expect(await troubleOf(router.read(["policy"]))).toBe("denied");
    key = KEY;
    expect(await troubleOf(router.read(["policy"]))).toBe("done");
    const renewed = vyos({ ...options, key: async (isDenied) => (isDenied === true ? KEY : "of yesterday") });
    expect(await troubleOf(renewed.read(["policy"]))).toBe("done");
  }),
);

onRouter(
  "a commit that takes too long goes on, reads fail meanwhile, another commit waits",
  withRouter(async (router, options) => {
    const client = vyos({ ...options, commitMs: 1_500 });
    router.commitMs = 6_000;
    expect(await troubleOf(client.configure([{ op: "set", path: ROUTE }]))).toBe("unknown");
    expect(await troubleOf(client.read(["protocols"]))).toBe("busy");
    router.commitMs = 0;
    expect(await troubleOf(vyos(options).configure([{ op: "set", path: ROUTE }]))).toBe("done");
    expect([...(await client.read(["protocols"])).keys()]).toEqual(["static"]);
  }),
);

onRouter(
  "nginx's 504 tells nothing about the commit; another's commit locks",
  withRouter(async (router, options) => {
    const client = vyos(options);
    router.impatient = true;
    expect(await troubleOf(client.configure([{ op: "set", path: ROUTE }]))).toBe("unknown");
    router.impatient = false;
    router.foreignLock = true;
    expect(await troubleOf(client.configure([{ op: "set", path: ROUTE }]))).toBe("locked");
  }),
);

onRouter(
  "a commit is taken back unless it is confirmed in time",
  withRouter(async (router, options) => {
    const client = vyos(options);
    const set = () => client.configure([{ op: "set", path: ROUTE }], { confirmMinutes: 5 });
    await set();
    router.expire();
    expect((await client.read(["protocols"])).size).toBe(0);
    await set();
    expect(await troubleOf(client.configure([{ op: "delete", path: ROUTE }], { confirmMinutes: 5 }))).toBe("failed");
    await set().catch(() => {});
    await client.confirm();
    router.expire();
    expect((await client.read(["protocols"])).size).toBe(1);
    expect(await troubleOf(client.confirm())).toBe("failed");
  }, "rolling"),
);

onRouter(
  "a secret that the router says again is in no message",
  withRouter(async (_router, options) => {
    const path = ["protocols", "bgp", "neighbor", "192.0.2.1", "passwort", "password", "s3cret"];
    const failed = (given: { confirmMinutes?: number }) =>
      expect(vyos(options).configure([{ op: "set", path }], given)).rejects.toThrow("passwort password (secret)");
    await failed({});
    await failed({ confirmMinutes: 5 });
  }),
);

onRouter(
  "neither is its key, should it say the request again",
  withRouter(async (_router, options) => {
    const commands = [{ op: "set", path: ["protocols", "bgp", KEY] }] as const;
    for (const given of [{}, { confirmMinutes: 5 }])
      await expect(vyos(options).configure(commands, given)).rejects.toThrow("protocols bgp (secret)");
  }),
);

test("nobody listens, or somebody who is no router", async () => {
  const server = createServer((socket) => socket.resume().end("220 mail.example ESMTP\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const at = (to: number) =>
    vyos({ name: "edge1", url: `https://127.0.0.1:${to}`, key: async () => KEY, trust: {}, commitMs: 60_000 });
  try {
    expect(await troubleOf(at(port).version())).toBe("not-vyos");
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await troubleOf(at(port).version())).toBe("unreachable");
});
