/** The contract of a shared store, kept by custom resources of a real API server, and what their definitions say of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";
import { KINDS } from "#lib/store/kubernetes/kinds.ts";
import { CASES, type World } from "#lib/store/shared-contract.ts";
import { kubernetesClient } from "../store/kubernetes-client.ts";
import { BLOCK, FIXED, keepsRecords, NODE } from "../store/records.ts";
import { type ControlPlane, controlPlane, runs } from "./control-plane.ts";

const TOP = join(import.meta.dirname, "../..");
const DEFINITIONS = "install/kubernetes/definitions.yaml";
const LIVENESS_SECONDS = 2;

let kubernetes: ControlPlane;
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  await kubernetes.kubectl(["apply", `--filename=${DEFINITIONS}`]);
  await kubernetes.kubectl(["wait", "--for=condition=Established", `--filename=${DEFINITIONS}`]);
  await kubernetes.kubectl(["create", "namespace", "selvedge"]);
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);
afterEach(async () => {
  if (runs === test.skip) return;
  for (const { path } of KINDS) await kubernetes.ask("DELETE", path);
  await kubernetes.ask("DELETE", "/apis/coordination.k8s.io/v1/namespaces/selvedge/leases");
}, 60_000);

const client = () =>
  kubernetesClient({
    port: Number(new URL(kubernetes.url).port),
    ca: kubernetes.ca,
    token: kubernetes.admin,
    livenessSeconds: LIVENESS_SECONDS,
  });

runs.each(CASES)(
  "%s",
  async (_name, run) => {
    const world: World = {
      livenessSeconds: LIVENESS_SECONDS,
      open: client,
      async compact() {
        await kubernetes.compact();
        // Its own memory of changes is lost with it.
        await kubernetes.stopServer();
        await kubernetes.startServer();
      },
      stop: kubernetes.stopServer,
      start: kubernetes.startServer,
    };
    await run(world);
  },
  300_000,
);

runs(
  "records of every kind are kept",
  async () => {
    await using one = await client();
    await using two = await client();
    await keepsRecords(one, two);
  },
  60_000,
);

const WRONG: readonly (readonly [why: string, key: string, record: object, said: string])[] = [
  ["a node without addresses", "nodes/alpha", { ...NODE, addresses: undefined }, "spec.addresses: Required value"],
  ["an address that is none", "nodes/alpha", { ...NODE, addresses: ["10.0.0"] }, "It must be an IP address"],
  ["a MAC address that is none", "nodes/alpha", { ...NODE, tunnelMac: "0a" }, "spec.tunnelMac"],
  [
    "what is fixed elsewhere",
    "blocks/default/fd00:66::40-122",
    { ...BLOCK, fixed: ["fd00:66::1"] },
    "lies in the block",
  ],
  ["what is lent to nobody", "blocks/default/fd00:66::40-122", { ...BLOCK, lent: { "fd00:66::41": {} } }, "lent"],
  ["half a node", "fixed/default/10.66.0.9", { ...FIXED, uid: undefined }, "A node has a name and a uid"],
];
runs.each(WRONG)("the server refuses %s", async (_why, key, record, said) => {
  await using store = await client();
  await expect(store.put(key, JSON.stringify(record))).rejects.toThrow(said);
  expect(await store.list("")).toEqual([]);
});

runs("a person sees who has which block", async () => {
  await using store = await client();
  await store.put("blocks/default/fd00:66::40-122", JSON.stringify(BLOCK));
  const printed = await kubernetes.kubectl(["get", "addressblocks", "--no-headers"]);
  expect(printed.split(/\s+/).slice(1, 4)).toEqual(["default", "fd00:66::40/122", "alpha"]);
  expect(await kubernetes.kubectl(["get", "selvedge", "--output=name"])).toContain("addressblock.selvedge.dev/");
});

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(10));

test("what is kept is defined", () => {
  const definitions = parseAllDocuments(readFileSync(join(TOP, DEFINITIONS), "utf8")).map(
    (each) => each.toJS() as { spec: { group: string; names: { kind: string; plural: string } } },
  );
  expect(definitions.map(({ spec: { group, names } }) => [names.kind, `${names.plural}.${group}`])).toEqual(
    KINDS.map(({ kind, plural }) => [kind, plural]),
  );
});
