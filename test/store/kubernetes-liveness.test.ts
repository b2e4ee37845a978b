/** Who lives, as Leases of an API server say it: who goes, who stays, and who sweeps. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { follow, until } from "#lib/store/shared-contract.ts";
import type { FakeApiServer } from "../support/kubernetes/api-server.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";
import type { ApiObject } from "../support/kubernetes/collection.ts";
import { kubernetesClient } from "./kubernetes-client.ts";

const cluster = authority();
const { runs } = cluster;
const LIVENESS_SECONDS = 1;
const ALIVE = { whileAlive: true };

let server: FakeApiServer;
beforeEach(async () => {
  if (runs !== test.skip) server = await cluster.server();
});
afterEach(async () => {
  if (runs === test.skip) return;
  await server[Symbol.asyncDispose]();
  expect(server.mistakes).toEqual([]);
});

const client = () =>
  kubernetesClient({
    port: Number(new URL(server.url).port),
    ca: cluster.ca,
    token: TOKEN,
    livenessSeconds: LIVENESS_SECONDS,
  });
const leases = (): readonly ApiObject[] => server.objects.of("coordination.k8s.io/v1", "Lease");
const nameOf = ({ metadata }: ApiObject): string => metadata.name;
const sessions = (): string[] =>
  leases()
    .map(nameOf)
    .filter((name) => name !== "selvedge-sweeper");
const sweeper = (): unknown => {
  const lease = leases().find((each) => nameOf(each) === "selvedge-sweeper");
  return (lease?.spec as { holderIdentity?: unknown } | undefined)?.holderIdentity;
};

runs("when the sweeper is gone another one sweeps, what was the first one's, too", async () => {
  const one = await client();
  await one.put("alive/one", "1", ALIVE);
  await until("it sweeps", () => sweeper() !== undefined);
  const first = sweeper();
  await using two = await client();
  using there = follow(two, "alive/");
  await two.put("alive/two", "2", ALIVE);
  await one[Symbol.asyncDispose]();
  await until("it is gone", () => there.known.size === 1 && there.known.has("alive/two"));
  expect(sweeper()).not.toBe(first);
  await until("its Lease, too", () => sessions().length === 1);
});

runs("an outage that is longer than anybody may be silent ends nobody", async () => {
  await using one = await client();
  await using two = await client();
  using there = follow(two, "alive/");
  await one.put("alive/one", "1", ALIVE);
  await two.put("alive/two", "2", ALIVE);
  await until("both are told", () => there.known.size === 2);
  for (let outage = 0; outage < 2; outage++) {
    await server.away();
    await sleep(LIVENESS_SECONDS * 2_500);
    await server.back();
    await until("it is reached", () => there.connections.at(-1) === true);
    await sleep(LIVENESS_SECONDS * 1_500);
  }
  expect([...there.known.keys()]).toEqual(["alive/one", "alive/two"]);
  expect(there.changes.filter((change) => "remove" in change)).toEqual([]);
});

runs("what is there by a Lease that nobody has goes, and what is there for ever stays", async () => {
  const [apiVersion, kind] = ["selvedge.dev/v1alpha1", "SharedRecord"];
  const labels = { "selvedge.dev/session": "selvedge-gone" };
  server.objects.put({ apiVersion, kind, metadata: { name: "orphan", labels }, spec: { key: "o", value: "" } });
  await using one = await client();
  await one.put("k", "1");
  await until("it is gone", () => server.objects.of(apiVersion, kind).every((each) => nameOf(each) !== "orphan"));
  expect((await one.get("k"))?.value).toBe("1");
});

runs("a Lease that somebody deletes is made anew, with what was put by it", async () => {
  await using one = await client();
  await one.put("alive/one", "1", ALIVE);
  const [name = ""] = sessions();
  server.objects.remove({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "selvedge", name },
  });
  await until("there is another", () => sessions().length === 1 && !sessions().includes(name));
  await until("it is put by that", () => {
    const [record] = server.objects.of("selvedge.dev/v1alpha1", "SharedRecord");
    return (record?.metadata.labels as Record<string, string>)?.["selvedge.dev/session"] === sessions()[0];
  });
  await sleep(LIVENESS_SECONDS * 2_500);
  expect((await one.get("alive/one"))?.value).toBe("1");
});
