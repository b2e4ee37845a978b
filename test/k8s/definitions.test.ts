/** What the fake API server does with definitions of networks and annotations of pods, and what it may refuse. */
import { expect } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { CASES } from "../support/kubernetes/annotating.ts";
import type { FakeApiServer } from "../support/kubernetes/api-server.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";

const cluster = authority();
const { runs } = cluster;

const sourceOf = ({ url }: FakeApiServer) =>
  hurriedSource(async () => ({ server: new URL(url), ca: cluster.ca, token: TOKEN }), {}, true);

runs.each(CASES)("an API server: $name", async ({ run }) => {
  await using server = await cluster.server();
  server.unknown.add("NetworkAttachmentDefinition");
  await run({
    source: sourceOf(server),
    put: async (object) => server.objects.put(object),
    remove: async (object) => server.objects.remove(object),
    learn: async () => server.unknown.clear(),
    metadata: async (pod) => server.objects.find(pod)?.metadata ?? pod.metadata,
  });
  expect(server.mistakes).toEqual([]);
});

const POD = { namespace: "shop", name: "web" };
const DENIED: [right: string, what: string, message: string][] = [
  [
    "get network-attachment-definitions",
    "a definition",
    'NetworkAttachmentDefinition shop/web is not known: may not get network-attachment-definitions: 403 User "node" cannot get network-attachment-definitions at the cluster scope',
  ],
  [
    "patch pods/status",
    "an annotation",
    'may not patch pods/status: 403 User "node" cannot patch pods/status at the cluster scope',
  ],
];
runs.each(DENIED)("without the right to %s the error names it", async (right, what, message) => {
  await using server = await cluster.server();
  const source = sourceOf(server);
  const stopping = new AbortController();
  const { done } = await source.follow(
    { put: () => {}, remove: () => {}, told: () => {}, failed: () => {} },
    stopping.signal,
  );
  server.forbidden.add(right);
  const asked = what === "a definition" ? source.knowDefinition?.(POD) : source.annotate?.(POD, { a: "b" });
  const error = await asked?.catch((caught: unknown) => caught);
  expect(isFailure(error, "not-ready") && error.message).toBe(message);
  stopping.abort();
  await done;
});
