import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { FRESH_MS, HOSTS_ANNOTATION, secrets } from "#lib/k8s/api/secret.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";

const own = authority();
const NAMED = { namespace: "kube-system", name: "edge1", key: "api", host: undefined };
const data = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));

async function withSecret(values: Readonly<Record<string, string>>) {
  const server = await own.server();
  const secret = (all: Readonly<Record<string, string>>, annotations?: Readonly<Record<string, unknown>>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: NAMED.namespace, name: NAMED.name, ...(annotations && { annotations }) },
    data: data(all),
  });
  server.objects.put(secret(values));
  let nowMs = 0;
  const read = secrets({
    access: async () => ({ server: new URL(server.url), ca: own.ca, token: TOKEN }),
    userAgent: "selvedged/test",
    nowMs: () => nowMs,
  });
  return {
    server,
    read,
    rotate: (...args: Parameters<typeof secret>) => server.objects.put(secret(...args)),
    later: () => {
      nowMs += FRESH_MS;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

own.runs(
  "a Secret is got once for all of its keys, again after a while or when it is wrong; nothing else is asked",
  async () => {
    await using rig = await withSecret({ api: "first\nof two lines", psk: "another" });
    expect(await rig.read(NAMED)).toBe("first");
    expect(await rig.read({ ...NAMED, key: "psk" })).toBe("another");
    rig.rotate({ api: "second", psk: "another" });
    expect(await rig.read(NAMED)).toBe("first");
    rig.later();
    expect(await rig.read(NAMED)).toBe("second");
    rig.rotate({ api: "third", psk: "another" });
    expect(await rig.read(NAMED, true)).toBe("third");
    expect(await rig.read(NAMED)).toBe("third");
    expect(rig.server.asked).toEqual(["get secrets", "get secrets", "get secrets"]);
    expect(rig.server.mistakes).toEqual([]);
  },
);

own.runs("who asks while it is got waits for that, and hears of it alike when it cannot be got", async () => {
  await using rig = await withSecret({ api: "first", psk: "another" });
  const both = () => Promise.allSettled([rig.read(NAMED), rig.read({ ...NAMED, key: "psk" })]);
  expect(await both()).toEqual(["first", "another"].map((value) => ({ status: "fulfilled", value })));
  const missing = { ...NAMED, name: "edge2" };
  const [one, other] = await Promise.allSettled([rig.read(missing), rig.read(missing)]);
  expect([one?.status, other]).toEqual(["rejected", one]);
  expect(rig.server.asked).toEqual(["get secrets", "get secrets"]);
});

own.runs("what was read stands while the server is away, and is asked for again after a while", async () => {
  await using rig = await withSecret({ api: "first" });
  await rig.read(NAMED);
  await rig.server.away();
  rig.later();
  expect(await rig.read(NAMED)).toBe("first");
  await rig.server.back();
  rig.rotate({ api: "second" });
  expect(await rig.read(NAMED)).toBe("first");
  rig.later();
  expect(await rig.read(NAMED)).toBe("second");
});

own.runs("without a server nothing is known", async () => {
  await using rig = await withSecret({ api: "first" });
  await rig.server.away();
  await expect(rig.read(NAMED)).rejects.toMatchObject({ failure: { kind: "not-ready" } });
  await rig.server.back();
});

own.runs("what is not there, or may not be got, is named and does not stand any more", async () => {
  await using rig = await withSecret({ api: "first", empty: "\nsecond line" });
  const mistake = (message: string) => ({ failure: { kind: "config-invalid" }, message });
  await expect(rig.read({ ...NAMED, key: "none" })).rejects.toMatchObject(
    mistake('edge: Secret kube-system/edge1 has no key "none"'),
  );
  await expect(rig.read({ ...NAMED, key: "empty" })).rejects.toMatchObject(
    mistake('edge: Secret kube-system/edge1 has an empty first line under the key "empty"'),
  );
  await expect(rig.read({ ...NAMED, name: "edge2" })).rejects.toMatchObject(
    mistake("edge: there is no Secret kube-system/edge2"),
  );
  rig.server.forbidden.add("get secrets");
  rig.later();
  await expect(rig.read(NAMED)).rejects.toMatchObject({
    message: expect.stringContaining("edge: Secret kube-system/edge1 may not be got: "),
    hint: expect.stringContaining("install/kubernetes/router-secret.yaml"),
  });
});

own.runs("an object's router has what says its host, and no other; the file's has it either way", async () => {
  await using rig = await withSecret({ api: "first" });
  const at = (host: string, key = "api") => rig.read({ ...NAMED, key, host });
  const refused = (host: string, why: string) => ({
    failure: { kind: "config-invalid" },
    message: `edge: Secret kube-system/edge1 is not for a Router at ${host}: its annotation selvedge.dev/router-hosts ${why}`,
  });
  const missing = refused("192.0.2.1", 'is missing; it must be "192.0.2.1"');
  await expect(at("192.0.2.1")).rejects.toMatchObject(missing);
  await expect(at("192.0.2.1", "none")).rejects.toMatchObject(missing);
  expect(await rig.read(NAMED)).toBe("first");
  const become = (said: unknown): void => {
    rig.rotate({ api: "first" }, { [HOSTS_ANNOTATION]: said });
    rig.later();
  };
  become("EDGE1.example:443, 192.0.2.1 [2001:DB8::0:1]:8443,,no host,*");
  for (const host of ["edge1.example", "192.0.2.1", "[2001:db8::1]:8443"]) expect(await at(host)).toBe("first");
  for (const host of ["edge1.example:8443", "a.edge1.example", "example", "[2001:db8::1]", ""])
    await expect(at(host)).rejects.toMatchObject(refused(host, `does not name that; add "${host}"`));
  for (const none of ["", "192.0.2.2", "https://192.0.2.1", "192.0.2.10", ["192.0.2.1"]]) {
    become(none);
    await expect(at("192.0.2.1")).rejects.toMatchObject({ failure: { kind: "config-invalid" } });
  }
  expect(await rig.read(NAMED)).toBe("first");
});

own.runs("whom it was for last stands while the server is away", async () => {
  await using rig = await withSecret({ api: "first" });
  rig.rotate({ api: "first" }, { [HOSTS_ANNOTATION]: "edge1.example" });
  await rig.read(NAMED);
  await rig.server.away();
  rig.later();
  expect(await rig.read({ ...NAMED, host: "edge1.example" })).toBe("first");
  await expect(rig.read({ ...NAMED, host: "edge2.example" })).rejects.toThrow("does not name that");
  await rig.server.back();
});

const manifest = (name: string): unknown[] =>
  parseAllDocuments(readFileSync(join(import.meta.dirname, "../../install/kubernetes", name), "utf8")).map(
    (each): unknown => each.toJS(),
  );

test("the Role gives the daemon the right to get one Secret, and no other", () => {
  const [role, binding, ...others] = manifest("router-secret.yaml");
  expect(role).toMatchObject({
    kind: "Role",
    metadata: { namespace: NAMED.namespace },
    rules: [{ apiGroups: [""], resources: ["secrets"], resourceNames: [NAMED.name], verbs: ["get"] }],
  });
  const account = { kind: "ServiceAccount", metadata: { name: "selvedge", namespace: "kube-system" } };
  expect(manifest("selvedge.yaml")).toContainEqual(expect.objectContaining(account));
  const { kind, metadata } = account;
  expect(binding).toMatchObject({
    kind: "RoleBinding",
    metadata: { namespace: NAMED.namespace },
    roleRef: { kind: "Role", name: "selvedge-routers" },
    subjects: [{ kind, ...metadata }],
  });
  expect(others).toEqual([]);
});
