import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Listener, ObjectSource } from "#lib/k8s/objects.ts";
import { contested } from "../contested.ts";
import type { Core } from "../core.ts";
import { table } from "../table.ts";
import { type Kubernetes, openKubernetes } from "./kubernetes.ts";

const CONFIG = `
kubernetes: {}
poolRules: [{ annotations: { tier: gold }, pool: default }]
`;
const NETWORKS = "k8s.v1.cni.cncf.io/networks";
const ANNOTATIONS = {
  [NETWORKS]: "blue",
  "selvedge.dev/ips": "10.1.0.5",
  "net1.selvedge.dev/mac": "02:00:00:00:00:01",
  "notselvedge.dev/ips": "10.1.0.6",
  tier: "gold",
  other: "text",
};
const pod = (name: string, annotations: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name, annotations },
});

/** A source that tells of these objects, and of the pods that it is asked for, by uid. */
async function opened(config: string, objects: readonly object[], uids: Record<string, string> = {}) {
  const asked: string[] = [];
  const told: string[] = [];
  const away = { isAway: false };
  const late = new Map<string, object>();
  let listener: Listener | undefined;
  const source: ObjectSource = {
    async follow(heard) {
      listener = heard;
      for (const [i, object] of objects.entries()) heard.put(`o${i}`, object);
      heard.told();
      return { done: Promise.resolve() };
    },
    async knowPod({ name }) {
      asked.push(name);
      if (away.isAway) throw new SelvedgeError({ kind: "not-ready" }, "it is away");
      const object = late.get(name);
      if (object !== undefined) listener?.put(`late/${name}`, object);
    },
    uidOf: ({ name }) => uids[name],
    async knowDefinition({ name }) {
      asked.push(name);
      const object = late.get(name);
      if (object !== undefined) listener?.put(`late/${name}`, object);
    },
  };
  const core = { objects: source, config: parseConfig(config), table: table(contested), log: () => {} };
  const kubernetes = openKubernetes(core as unknown as Core) as Kubernetes;
  await kubernetes.source.follow(
    {
      put: (name) => void told.push(name),
      remove: (name) => void told.push(`-${name}`),
      told: () => {},
      failed: () => {},
    },
    new AbortController().signal,
  );
  return { kubernetes, asked, told, away, late, listener: () => listener };
}

test("of a pod's annotations those are kept that something heeds; others are told of everything as well", async () => {
  const one = await opened(CONFIG, [pod("web", ANNOTATIONS)]);
  const { [NETWORKS]: _, other: __, "notselvedge.dev/ips": ___, ...heeded } = ANNOTATIONS;
  expect(await one.kubernetes.annotationsOf({ namespace: "shop", name: "web" })).toEqual(heeded);
  expect(one.told).toEqual(["o0"]);
  const asked = await opened(`${CONFIG}attachmentDefinitions: true`, [pod("web", ANNOTATIONS)]);
  expect(await asked.kubernetes.annotationsOf({ namespace: "shop", name: "web" })).toEqual({
    ...heeded,
    [NETWORKS]: "blue",
  });
});

test("annotations follow their pod", async () => {
  const one = await opened(CONFIG, [pod("web", ANNOTATIONS)]);
  const annotations = () => one.kubernetes.annotationsOf({ namespace: "shop", name: "web" });
  one.listener()?.put("o0", pod("web", { tier: "iron" }));
  expect(await annotations()).toEqual({ tier: "iron" });
  one.listener()?.put("o1", { apiVersion: "v1", kind: "List", items: [pod("web", { tier: "gold" })] });
  one.listener()?.remove("o0");
  expect(await annotations()).toEqual({ tier: "gold" });
  one.listener()?.put("o1", pod("web", { other: "text" }));
  expect(await annotations()).toEqual({});
});

test("what a list holds besides what cannot be read follows the list", async () => {
  const one = await opened(CONFIG, []);
  const unquoted = pod("broken", { tier: true });
  one.listener()?.put("o0", { apiVersion: "v1", kind: "List", items: [pod("web", { tier: "gold" }), unquoted] });
  const annotations = () => one.kubernetes.annotationsOf({ namespace: "shop", name: "web" });
  expect(await annotations()).toEqual({ tier: "gold" });
  one.listener()?.put("o0", { apiVersion: "v1", kind: "List", items: [] });
  expect(await annotations()).toEqual({});
});

test("a pod of which nothing was told is asked for; that it cannot be had is an error", async () => {
  const one = await opened(CONFIG, []);
  one.late.set("web", pod("web", { tier: "gold" }));
  expect(await one.kubernetes.annotationsOf({ namespace: "shop", name: "web" })).toEqual({ tier: "gold" });
  expect(await one.kubernetes.annotationsOf({ namespace: "shop", name: "nobody" })).toEqual({});
  expect(one.asked).toEqual(["web", "nobody"]);
  one.away.isAway = true;
  await expect(one.kubernetes.annotationsOf({ namespace: "shop", name: "web" })).rejects.toThrow("it is away");
});

test("a pod that was replaced is refused; one of the node's files goes by another uid there", async () => {
  const mirror = { "kubernetes.io/config.mirror": "hash", tier: "gold" };
  const one = await opened(CONFIG, [pod("web", {}), pod("etcd", mirror)], { web: "new", etcd: "given" });
  const of = (name: string, uid?: string) =>
    one.kubernetes.annotationsOf({ namespace: "shop", name, ...(uid === undefined ? {} : { uid }) });
  expect(await of("web")).toEqual({});
  expect(await of("web", "new")).toEqual({});
  expect(await of("nobody", "any")).toEqual({});
  expect(await of("etcd", "hash")).toEqual({ tier: "gold" });
  const error = await of("web", "old").catch((caught: unknown) => caught);
  expect(isFailure(error, "not-ready") && error.message).toBe(
    "pod shop/web was replaced: the runtime attaches the one of uid old, Kubernetes knows new",
  );
});

test("definitions are kept where they count, and asked for when they are not known yet", async () => {
  const blue = {
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
    metadata: { namespace: "shop", name: "blue" },
    spec: { config: "{}" },
  };
  const without = await opened(CONFIG, [blue]);
  expect(await without.kubernetes.definition({ namespace: "shop", name: "blue" })).toBeUndefined();
  expect(without.kubernetes.statuses).toBeUndefined();
  const one = await opened(`${CONFIG}attachmentDefinitions: true`, [blue]);
  const definition = (name: string) => one.kubernetes.definition({ namespace: "shop", name });
  expect(await definition("blue")).toEqual({ namespace: "shop", name: "blue", config: "{}" });
  expect(one.asked).toEqual([]);
  one.late.set("green", { ...blue, metadata: { namespace: "shop", name: "green" } });
  expect(await definition("green")).toMatchObject({ name: "green" });
  expect(await definition("red")).toBeUndefined();
  expect(one.asked).toEqual(["green", "red"]);
  one.listener()?.remove("o0");
  expect(await definition("blue")).toBeUndefined();
});
