/** The contract of a shared store, kept by custom resources of an API server that is a strict fake. */
import { expect, test } from "@jest/globals";
import { CASES, type World } from "#lib/store/shared-contract.ts";
import type { FakeApiServer } from "../support/kubernetes/api-server.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";
import { kubernetesClient } from "./kubernetes-client.ts";
import { keepsRecords } from "./records.ts";

const cluster = authority();
const { runs } = cluster;
const LIVENESS_SECONDS = 1;

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(10));

const clientOf = (server: FakeApiServer) =>
  kubernetesClient({
    port: Number(new URL(server.url).port),
    ca: cluster.ca,
    token: TOKEN,
    livenessSeconds: LIVENESS_SECONDS,
  });

runs.each(CASES)(
  "%s",
  async (_name, run) => {
    await using server = await cluster.server();
    const world: World = {
      livenessSeconds: LIVENESS_SECONDS,
      open: () => clientOf(server),
      compact: async () => server.objects.compact(),
      stop: server.away,
      start: server.back,
    };
    await run(world);
    expect(server.mistakes).toEqual([]);
  },
  120_000,
);

runs("records of every kind are kept", async () => {
  await using server = await cluster.server();
  await using one = await clientOf(server);
  await using two = await clientOf(server);
  await keepsRecords(one, two);
  expect(server.mistakes).toEqual([]);
});

runs("an object that somebody else has made is nobody's record, and stands in the way by its name", async () => {
  await using server = await cluster.server();
  await using store = await clientOf(server);
  const [apiVersion, kind] = ["selvedge.dev/v1alpha1", "SelvedgeNode"];
  server.objects.put({ apiVersion, kind, metadata: { name: "a" }, spec: { name: "b" } });
  server.objects.put({ apiVersion, kind, metadata: { name: "c" }, spec: "c" });
  expect(await store.list("")).toEqual([]);
  expect(await store.get("nodes/b")).toBeUndefined();
  expect(await store.put("nodes/a", '{"name":"a"}', { if: "absent" })).toBeUndefined();
  await expect(store.get("nodes/a")).rejects.toThrow(
    "API server: selvedgenodes.selvedge.dev a is not what Selvedge has of nodes/a",
  );
  await expect(store.put("nodes/d", '{"name":"e"}')).rejects.toThrow(
    "shared store: the value of nodes/d is no record with its name",
  );
});

runs("what the server does not know, or does not allow, is said with what to do", async () => {
  await using server = await cluster.server();
  await using store = await clientOf(server);
  server.unknown.add("SharedRecord");
  await expect(store.get("k")).rejects.toMatchObject({
    message: "API server: may not get sharedrecords.selvedge.dev: 404 the server could not find the requested resource",
    hint: expect.stringContaining("install/kubernetes/store.yaml"),
  });
  server.unknown.clear();
  server.forbidden.add("post sharedrecords");
  await expect(store.put("k", "1")).rejects.toMatchObject({
    message:
      'API server: may not create sharedrecords.selvedge.dev: 403 User "node" cannot post sharedrecords at the cluster scope',
    hint: expect.stringContaining("install/kubernetes/store.yaml"),
  });
  server.tokens.clear();
  await expect(store.remove("k")).rejects.toThrow("API server: may not delete sharedrecords.selvedge.dev: 401");
});
