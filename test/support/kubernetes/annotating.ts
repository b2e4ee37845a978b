/** What an API server does with definitions of networks and with annotations of pods, as cases for the fake one and a real one. */
import { expect } from "@jest/globals";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import { eventually } from "../../../conformance/program.ts";
import type { ApiObject } from "./collection.ts";
import { definition } from "./definitions.ts";

export interface Cluster {
  /** Follows the cluster, definitions as well, of whose kind it knows nothing at first. */
  readonly source: ObjectSource;
  put(object: ApiObject): Promise<void>;
  remove(object: ApiObject): Promise<void>;
  /** It knows definitions from now on. */
  learn(): Promise<void>;
  metadata(pod: ApiObject): Promise<ApiObject["metadata"]>;
}

/** The names of definitions that stand told. */
function following(source: ObjectSource) {
  const stopping = new AbortController();
  const definitions = new Map<string, unknown>();
  const begun = source.follow(
    {
      put(name, object) {
        const { kind, spec } = object as ApiObject;
        if (kind === "NetworkAttachmentDefinition") definitions.set(name, spec);
      },
      remove: (name) => void definitions.delete(name),
      told: () => {},
      failed: () => {},
    },
    stopping.signal,
  );
  return {
    begun,
    definitions,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await (await begun).done;
    },
  };
}

const KEY = "k8s.v1.cni.cncf.io/network-status";
const NOBODY = "0b9a1d2e-6d2e-4c5b-8f3e-1a2b3c4d5e6f";
const NAMED = { namespace: "shop", name: "web" };
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { ...NAMED, annotations: { other: "stays" } },
  spec: { containers: [{ name: "web", image: "web" }] },
};
const TOLD = "network-attachment-definitions.k8s.cni.cncf.io/shop/blue";
const LONG_MS = 90_000;

export const CASES: readonly { readonly name: string; run(cluster: Cluster): Promise<void> }[] = [
  {
    name: "definitions are told of when the cluster knows their kind, and one is had by its name before that",
    async run({ source, put, remove, learn }) {
      await using heard = following(source);
      await heard.begun;
      const blue = { namespace: "shop", name: "blue" };
      await source.knowDefinition?.(blue);
      expect([...heard.definitions]).toEqual([]);
      await learn();
      await put(definition("blue", "{}"));
      await source.knowDefinition?.(blue);
      expect([...heard.definitions]).toEqual([[TOLD, { config: "{}" }]]);
      await put(definition("blue", "[]"));
      await eventually(
        "the change",
        async () => JSON.stringify([...heard.definitions.values()]).includes("[]") || undefined,
        LONG_MS,
      );
      await remove(definition("blue"));
      await eventually("it went", async () => heard.definitions.size === 0 || undefined, LONG_MS);
    },
  },
  {
    name: "an annotation is written beside the others, once, to that pod and to no other of its name",
    async run({ source, put, metadata }) {
      await put(POD);
      await using heard = following(source);
      await heard.begun;
      const write = (pod: object, text: string) => source.annotate?.({ ...NAMED, ...pod }, { [KEY]: text });
      const uid = source.uidOf?.(NAMED);
      expect(uid).toBe((await metadata(POD)).uid);
      expect(await write({ uid }, "[]")).toBe(true);
      const written = await metadata(POD);
      expect(written.annotations).toMatchObject({ other: "stays", [KEY]: "[]" });
      expect(await write({}, "[]")).toBe(true);
      expect((await metadata(POD)).resourceVersion).toBe(written.resourceVersion);
      expect(await write({ uid: NOBODY }, "x")).toBe(false);
      expect(await write({ name: "nobody" }, "x")).toBe(false);
      expect(await metadata(POD)).toEqual(written);
    },
  },
];
