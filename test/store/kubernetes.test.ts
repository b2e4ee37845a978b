/** The contract of a shared store, kept by custom resources of an API server that is a strict fake. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CASES, type World } from "#lib/store/shared-contract.ts";
import { fakeApiServer } from "../support/kubernetes/api-server.ts";
import { needing } from "../support/requirement.ts";
import { kubernetesClient } from "./kubernetes-client.ts";
import { type Identity, type Pki, pki } from "./pki.ts";

const runs = needing({ program: "openssl" });
const LIVENESS_SECONDS = 1;

let certificates: Pki;
let identity: Identity;
let ca = "";
beforeAll(() => {
  if (runs === test.skip) return;
  certificates = pki();
  const authority = certificates.authority("cluster");
  identity = authority.issue("kube-apiserver", ["IP:127.0.0.1"]);
  ca = readFileSync(authority.ca, "utf8");
});
afterAll(() => certificates?.[Symbol.dispose]());

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(10));

runs.each(CASES)(
  "%s",
  async (_name, run) => {
    await using server = await fakeApiServer(identity, "secret");
    const { port } = new URL(server.url);
    const world: World = {
      livenessSeconds: LIVENESS_SECONDS,
      open: () => kubernetesClient({ port: Number(port), ca, token: "secret", livenessSeconds: LIVENESS_SECONDS }),
      compact: async () => server.objects.compact(),
      stop: server.away,
      start: server.back,
    };
    await run(world);
    expect(server.mistakes).toEqual([]);
  },
  60_000,
);
