/** What every source of objects does, as cases that any test can run against one that holds nothing of theirs. */

import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ObjectSource } from "./objects.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: object;
}

/** A source, and whence it has its objects. */
export interface World {
  readonly source: ObjectSource;
  put(manifest: Manifest): Promise<void>;
  remove(manifest: Manifest): Promise<void>;
  /** Nothing can be had by the source until it is back; puts and removals go on. */
  away(): Promise<void>;
  back(): Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  run(world: World): Promise<void>;
}

const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "contract" } };
const policy = (name: string, app: string): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "contract", name },
  spec: { podSelector: { matchLabels: { app } }, policyTypes: ["Ingress"] },
});

/** What stands of what the cases have put there, by policy: the app that it is for; and what is told otherwise. */
function listening(source: ObjectSource) {
  const objects = new Map<string, string>();
  const failed = new Set<string>();
  const stopping = new AbortController();
  let tellings = 0;
  let puts = 0;
  const listener = {
    put(name: string, object: unknown) {
      const { kind, metadata, spec } = object as Manifest & {
        spec?: { podSelector?: { matchLabels?: { app?: string } } };
      };
      if (kind !== "NetworkPolicy" || metadata.namespace !== "contract") return;
      puts++;
      objects.set(name, `${metadata.name}: ${spec?.podSelector?.matchLabels?.app}`);
    },
    remove(name: string) {
      objects.delete(name);
      failed.delete(name);
    },
    told: () => void tellings++,
    failed: (name: string) => void failed.add(name),
  };
  const following = source.follow(listener, stopping.signal);
  return {
    following,
    failed,
    get tellings() {
      return tellings;
    },
    get puts() {
      return puts;
    },
    stands: () => [...objects.values()].toSorted(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await (await following).done;
    },
  };
}

const PATIENCE_MS = 20_000;

async function becomes(what: string, found: () => unknown, expected: unknown): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs; await sleep(20))
    if (isDeepStrictEqual(found(), expected)) return;
  throw new Error(`${what}: found ${JSON.stringify(found())}, expected ${JSON.stringify(expected)}`);
}

function equal(what: string, found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}

export const CONTRACT: readonly ContractCase[] = [
  {
    name: "everything there is at first is told once, then every change",
    async run({ source, put, remove }) {
      await put(NAMESPACE);
      await put(policy("a", "one"));
      await put(policy("b", "one"));
      await using heard = listening(source);
      await heard.following;
      equal("at first", [heard.stands(), heard.tellings, heard.puts], [["a: one", "b: one"], 1, 2]);
      await put(policy("c", "one"));
      await becomes("one more", heard.stands, ["a: one", "b: one", "c: one"]);
      await put(policy("a", "two"));
      await becomes("another", heard.stands, ["a: two", "b: one", "c: one"]);
      await remove(policy("b", "one"));
      await becomes("one less", heard.stands, ["a: two", "c: one"]);
      await put(policy("b", "three"));
      await becomes("again", heard.stands, ["a: two", "b: three", "c: one"]);
      equal("nothing has failed", [...heard.failed], []);
      equal("nothing was told twice", heard.puts, 5);
    },
  },
  {
    name: "while nothing can be had what was told stands, and what changed meanwhile is told afterwards",
    async run({ source, put, remove, away, back }) {
      await put(NAMESPACE);
      await put(policy("a", "one"));
      await put(policy("b", "one"));
      await put(policy("c", "one"));
      await using heard = listening(source);
      await heard.following;
      await away();
      await becomes("it is told", () => heard.failed.size > 0, true);
      await put(policy("a", "two"));
      await remove(policy("b", "one"));
      await put(policy("d", "one"));
      equal("meanwhile", heard.stands(), ["a: one", "b: one", "c: one"]);
      await back();
      await becomes("afterwards", heard.stands, ["a: two", "c: one", "d: one"]);
      await becomes("it is over", () => [...heard.failed], []);
      equal("only what changed was told", heard.puts, 5);
    },
  },
  {
    name: "what cannot be had at first is told when it can",
    async run({ source, put, away, back }) {
      await put(NAMESPACE);
      await put(policy("a", "one"));
      await away();
      await using heard = listening(source);
      await heard.following;
      equal("at first", [heard.stands(), heard.tellings, heard.failed.size > 0], [[], 0, true]);
      await back();
      await becomes("afterwards", () => [heard.stands(), heard.tellings > 0], [["a: one"], true]);
      await becomes("it is over", () => [...heard.failed], []);
    },
  },
];
