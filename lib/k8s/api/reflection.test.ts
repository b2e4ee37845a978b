import { Readable } from "node:stream";
import { expect, test } from "@jest/globals";
import type { Ask } from "./ask.ts";
import { PATIENCE, reflection } from "./reflection.ts";
import { PODS } from "./resource.ts";

const server = new URL("https://192.0.2.1");
const pod = (name: string, resourceVersion: string) => ({
  metadata: { namespace: "shop", name, uid: name, resourceVersion },
});
const bodyOf = (...documents: object[]) => ({
  server,
  stream: Readable.from([Buffer.from(documents.map((each) => `${JSON.stringify(each)}\n`).join(""))]),
});

test("what comes together with the error that ends a watch is told", async () => {
  const stopping = new AbortController();
  const happened: string[] = [];
  const positions: (string | undefined)[] = [];
  const ask: Ask = async ({ query = {} }) => {
    if (query.watch === undefined) return bodyOf({ metadata: { resourceVersion: "1" }, items: [] });
    positions.push(query.resourceVersion);
    if (positions.length > 1) {
      stopping.abort();
      return bodyOf();
    }
    const error = { kind: "Status", code: 500, message: "etcd has no leader" };
    return bodyOf({ type: "ADDED", object: pod("a", "2") }, { type: "ERROR", object: error });
  };
  const { done } = reflection(PODS, {
    ask,
    told: {
      put: (name) => void happened.push(`put ${name}`),
      remove: (name) => void happened.push(`remove ${name}`),
      told: () => void happened.push("told"),
      reached: () => {},
      lost: ({ message }) => void happened.push(`lost: ${message}`),
      allowed: () => {},
      refused: () => {},
    },
    signal: stopping.signal,
    random: () => 0,
    patience: { ...PATIENCE, firstMs: 1, longestMs: 1 },
  });
  await done;
  expect(happened).toEqual(["told", "put shop/a", "told"]);
  expect(positions).toEqual(["1", "2"]);
});
