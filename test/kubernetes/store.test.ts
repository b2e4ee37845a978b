/** The contract of a shared store, kept by custom resources of a real API server, and what their definitions say of them. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { KINDS } from "#lib/store/kubernetes/kinds.ts";
import type { Revision, Shared } from "#lib/store/shared.ts";
import { CASES, until, type World } from "#lib/store/shared-contract.ts";
import { kubernetesClient } from "../store/kubernetes-client.ts";
import { BLOCK, FIXED, keepsRecords, NODE } from "../store/records.ts";
import { applyStore, DEFINED, ROLE } from "./applied-store.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { runs } from "./runs.ts";

const LIVENESS_SECONDS = 2;

let kubernetes: ControlPlane;
/** The token of a node's daemon. */
let account = "";
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  await applyStore(kubernetes);
  await kubernetes.kubectl(["create", "serviceaccount", "selvedge", "--namespace=kube-system"]);
  account = await kubernetes.accountToken();
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);
afterEach(async () => {
  if (runs === test.skip) return;
  for (const { path } of KINDS) await kubernetes.ask("DELETE", path);
  await kubernetes.ask("DELETE", "/apis/coordination.k8s.io/v1/namespaces/selvedge/leases");
}, 60_000);

const client = (token = kubernetes.admin) =>
  kubernetesClient({
    port: Number(new URL(kubernetes.url).port),
    ca: kubernetes.ca,
    token,
    livenessSeconds: LIVENESS_SECONDS,
  });

runs.each(CASES)(
  "%s",
  async (_name, run) => {
    const world: World = {
      livenessSeconds: LIVENESS_SECONDS,
      open: () => client(),
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

test("what is kept is defined", () =>
  expect(DEFINED.map(({ spec: { group, names } }) => [names.kind, `${names.plural}.${group}`])).toEqual(
    KINDS.map(({ kind, plural }) => [kind, plural]),
  ));

runs(
  "with the manifest's rights, and no others, nodes can do all that a store does",
  async () => {
    const one = await client(account);
    const two = await client(account);
    try {
      await keepsRecords(one, two);
      await two.put("alive/two", "{}", { whileAlive: true });
      await two[Symbol.asyncDispose]();
      await until("it is gone", async () => (await one.get("alive/two")) === undefined);
    } finally {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
    }
  },
  90_000,
);

/** Each by what it is for. */
const VERBS: readonly (readonly [verb: string, use: (store: Shared) => Promise<unknown>])[] = [
  ["get", (store) => store.get("k")],
  ["list", (store) => store.list("")],
  ["watch", watched],
  ["create", (store) => store.put("k", "1", { if: "absent" })],
  ["update", (store) => store.put("k", "2", { if: "1" as Revision })],
  ["delete", (store) => store.remove("k")],
];
runs.each(VERBS)(
  "without the right to %s the error names it, and where it is given",
  async (verb, use) => {
    const rules = ROLE.rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((each) => each !== verb) }));
    await kubernetes.kubectl(["apply", "--filename=-"], { ...ROLE, rules });
    try {
      await using store = await client(account);
      const refused = {
        message: expect.stringMatching(`may not ${verb} .*[.]selvedge[.]dev: 403 .*cannot ${verb} resource`),
        hint: expect.stringContaining("install/kubernetes/store.yaml"),
      };
      // The server hears a moment later of its roles, and of those that are given back.
      const said = (): Promise<string> => use(store).then(String, (error: Error) => error.message);
      await until("it is refused", async () => (await said()).includes(`may not ${verb} `));
      await expect(use(store)).rejects.toMatchObject(refused);
    } finally {
      await kubernetes.kubectl(["apply", "--filename=-"], ROLE);
    }
  },
  60_000,
);

test("the store's rights are those verbs", () =>
  expect(ROLE.rules.map(({ verbs }) => verbs.toSorted())).toEqual([VERBS.map(([verb]) => verb).toSorted()]));

/** @throws SelvedgeError what keeps it from beginning */
async function watched(store: Shared): Promise<void> {
  const ends = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const watching = store.watch(
    "",
    () => {},
    ends.signal,
    (connected, why) => (connected ? resolve() : reject(why)),
  );
  try {
    await promise;
  } finally {
    ends.abort();
    await watching;
  }
}
