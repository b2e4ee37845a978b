/** A real API server does with definitions of networks and annotations of pods what the fake one does. */
import { afterAll, beforeAll, test } from "@jest/globals";
import { CASES } from "../support/kubernetes/annotating.ts";
import type { ApiObject } from "../support/kubernetes/collection.ts";
import { DEFINITIONS_KIND } from "../support/kubernetes/definitions.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";
import { established } from "./applied-store.ts";
import { type ControlPlane, controlPlane } from "./control-plane.ts";
import { runs } from "./runs.ts";

let kubernetes: ControlPlane;
beforeAll(async () => {
  if (runs === test.skip) return;
  kubernetes = await controlPlane();
  await kubernetes.kubectl(["create", "namespace", "shop"]);
}, 180_000);
afterAll(async () => kubernetes?.[Symbol.asyncDispose](), 60_000);

runs.each(CASES)(
  "a real API server: $name",
  async ({ run }) => {
    const { ca, admin: token, url, kubectl } = kubernetes;
    await run({
      source: hurriedSource(async () => ({ server: new URL(url), ca, token }), {}, true),
      put: async (object) => void (await kubectl(["apply", "--filename=-"], object)),
      remove: async (object) => void (await kubectl(["delete", "--filename=-"], object)),
      learn: () => established(kubernetes, DEFINITIONS_KIND),
      async metadata({ metadata: { name, namespace } }) {
        const shown = await kubectl(["get", "pod", name, `--namespace=${namespace}`, "--output=json"]);
        const { managedFields: _, ...metadata } = (JSON.parse(shown) as ApiObject).metadata;
        return metadata as ApiObject["metadata"];
      },
    });
  },
  240_000,
);
