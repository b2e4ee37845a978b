/** NetworkAttachmentDefinitions and annotations of pods with a real API server. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { DEFINITIONS_KIND, definition } from "../support/kubernetes/definitions.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";
import { type ControlPlane, controlPlane, runs } from "./control-plane.ts";

const KEY = "k8s.v1.cni.cncf.io/network-status";
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name: "web", annotations: { other: "stays" } },
  spec: { containers: [{ name: "web", image: "web" }] },
};

let kubernetes: ControlPlane;
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  await kubernetes.kubectl(["create", "namespace", "shop"]);
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);

/** Follows as the administrator: the names of definitions that are told. */
function following() {
  const stopping = new AbortController();
  const definitions = new Set<string>();
  const { ca, admin: token, url } = kubernetes;
  const source = hurriedSource(async () => ({ server: new URL(url), ca, token }), {}, true);
  const begun = source.follow(
    {
      put: (name) => void (name.startsWith("network-attachment-definitions.") && definitions.add(name)),
      remove: (name) => void definitions.delete(name),
      told: () => {},
      failed: () => {},
    },
    stopping.signal,
  );
  return {
    source,
    definitions,
    begun,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await (await begun).done;
    },
  };
}

interface Metadata {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
}
const metadata = async (): Promise<Metadata> =>
  (
    JSON.parse(await kubernetes.kubectl(["get", "pod", "web", "--namespace=shop", "--output=json"])) as {
      metadata: Metadata;
    }
  ).metadata;

runs(
  "definitions are told of when the cluster knows their kind, and one is had by its name before that",
  async () => {
    await using heard = following();
    await heard.begun;
    await heard.source.knowDefinition?.({ namespace: "shop", name: "blue" });
    expect([...heard.definitions]).toEqual([]);
    await kubernetes.kubectl(["apply", "--filename=-"], DEFINITIONS_KIND);
    await kubernetes.kubectl(["wait", "--for=condition=Established", "crd", DEFINITIONS_KIND.metadata.name]);
    await kubernetes.kubectl(["apply", "--filename=-"], definition("blue", { type: "selvedge" }));
    const told = "network-attachment-definitions.k8s.cni.cncf.io/shop/blue";
    await heard.source.knowDefinition?.({ namespace: "shop", name: "blue" });
    expect([...heard.definitions]).toEqual([told]);
    await kubernetes.kubectl(["delete", "network-attachment-definition", "blue", "--namespace=shop"]);
    await eventually("it went", async () => heard.definitions.size === 0 || undefined, 60_000);
  },
  120_000,
);

runs(
  "an annotation is written beside the others, to that pod and to no other of its name, and once",
  async () => {
    await kubernetes.ask("POST", "/api/v1/namespaces/shop/pods", POD);
    await using heard = following();
    await heard.begun;
    const { annotate } = heard.source;
    if (annotate === undefined) throw new Error("it writes none");
    const { uid } = await metadata();
    expect(await annotate({ namespace: "shop", name: "web", uid }, { [KEY]: "[]" })).toBe(true);
    const written = await metadata();
    expect(written.annotations).toEqual({ other: "stays", [KEY]: "[]" });
    expect(await annotate({ namespace: "shop", name: "web" }, { [KEY]: "[]" })).toBe(true);
    expect((await metadata()).resourceVersion).toBe(written.resourceVersion);
    expect(
      await annotate({ namespace: "shop", name: "web", uid: "0b9a1d2e-6d2e-4c5b-8f3e-1a2b3c4d5e6f" }, { [KEY]: "x" }),
    ).toBe(false);
    expect(await annotate({ namespace: "shop", name: "nobody" }, { [KEY]: "x" })).toBe(false);
    expect((await metadata()).annotations[KEY]).toBe("[]");
  },
  120_000,
);
