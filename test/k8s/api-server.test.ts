/** What an API server does to those who follow it: pages, 410, bookmarks, 401, 403, 404, and pods that are asked for in time. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ObjectSource } from "#lib/k8s/objects.ts";
import { eventually } from "../../conformance/program.ts";
import { pki } from "../store/pki.ts";
import type { FakeApiServer } from "../support/kubernetes/api-server.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";
import type { ApiObject } from "../support/kubernetes/collection.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";

const cluster = authority();
const { runs } = cluster;
let server: FakeApiServer;
let source: ObjectSource;
let token = "";
let stopping: AbortController;
let following: Promise<{ readonly done: Promise<void> }> | undefined;
const objects = new Map<string, string>();
const failures = new Map<string, string>();
/** Of those, what it may not. */
const forbidden = new Set<string>();
let tellings = 0;
let lacking: readonly string[] = [];
let puts = 0;

beforeEach(async () => {
  if (runs === test.skip) return;
  server = await cluster.server();
  token = TOKEN;
  source = hurriedSource(async () => ({ server: new URL(server.url), ca: cluster.ca, token }));
  stopping = new AbortController();
  following = undefined;
  objects.clear();
  failures.clear();
  forbidden.clear();
  tellings = 0;
  puts = 0;
});
afterEach(async () => {
  if (runs === test.skip) return;
  stopping.abort();
  await (await following)?.done;
  await server[Symbol.asyncDispose]();
  expect(server.mistakes).toEqual([]);
});

async function follow(): Promise<void> {
  following = source.follow(
    {
      put(name, object) {
        puts++;
        objects.set(name, JSON.stringify((object as ApiObject).metadata.labels ?? {}));
      },
      remove(name) {
        objects.delete(name);
        failures.delete(name);
      },
      told(without = []) {
        tellings++;
        lacking = without;
      },
      failed(name, message, why) {
        failures.set(name, message);
        if (why === "forbidden") forbidden.add(name);
      },
    },
    stopping.signal,
  );
  await following;
}

const pod = (name: string, labels: Record<string, string> = {}, phase = "Running"): ApiObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "shop", name, labels },
  status: { phase },
});

const SHOP: ApiObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { team: "a" } } };

const until = (what: string, holds: () => boolean): Promise<boolean> =>
  eventually(what, async () => {
    if (holds()) return true;
    throw new Error(JSON.stringify([[...objects], [...failures], server.asked.slice(-20)]));
  });
const asked = (what: string): number => server.asked.filter((each) => each === what).length;
/** Every resource is watched. */
const settled = () => until("all are watched", () => asked("watch pods") > 0 && asked("watch namespaces") > 0);

runs("a list of many pages is one list; what changes while it is read is told", async () => {
  server.pageSize = 10;
  for (let i = 0; i < 95; i++) server.objects.put(pod(`p${String(i).padStart(2, "0")}`));
  let pages = 0;
  server.onPage = () => {
    if (++pages === 5) server.objects.put(pod("p00", { late: "yes" }));
  };
  await follow();
  expect([objects.size, tellings]).toEqual([95, 1]);
  expect(asked("list pods")).toBe(10);
  await until("the change", () => objects.get("pods/shop/p00") === '{"late":"yes"}');
});

runs("a list whose next page is known no more begins anew", async () => {
  server.pageSize = 10;
  for (let i = 0; i < 25; i++) server.objects.put(pod(`p${i}`));
  let isFirst = true;
  server.onPage = () => {
    if (!isFirst) return;
    isFirst = false;
    server.objects.compact();
  };
  await follow();
  await until("all of them", () => objects.size === 25 && tellings > 0);
  expect(puts).toBe(25);
});

runs("a watch that ends goes on from where a bookmark said, though what came before is known no more", async () => {
  server.objects.put(pod("a"));
  await follow();
  await settled();
  server.objects.compact();
  server.bookmark();
  await sleep(50);
  const lists = asked("list pods");
  server.endWatches();
  server.objects.put(pod("b"));
  await until("what came after", () => objects.has("pods/shop/b"));
  expect(asked("list pods")).toBe(lists);
  expect(puts).toBe(2);
});

runs("a watch that is gone is followed by a list that tells only of what changed", async () => {
  for (const name of ["a", "b", "c"]) server.objects.put(pod(name));
  await follow();
  await settled();
  await server.away();
  server.objects.put(pod("a", { v: "2" }));
  server.objects.remove(pod("b"));
  server.objects.compact();
  await server.back();
  await until("the list", () => objects.get("pods/shop/a") === '{"v":"2"}' && !objects.has("pods/shop/b"));
  expect([objects.size, puts]).toEqual([2, 4]);
  server.expireWatches();
  server.objects.put(pod("d"));
  await until("another list", () => objects.has("pods/shop/d"));
});

runs("versions that begin anew, as after a restore, are taken as they are", async () => {
  server.objects.put(pod("a", { v: "old" }));
  server.objects.put(pod("b"));
  await follow();
  await settled();
  await server.away();
  server.objects.put(pod("a", { v: "restored" }));
  server.objects.remove(pod("b"));
  server.objects.restore(50);
  await server.back();
  server.expireWatches();
  await until("watched anew", () => asked("watch pods") > 1);
  server.expireWatches();
  await until("the list", () => objects.get("pods/shop/a") === '{"v":"restored"}' && !objects.has("pods/shop/b"));
});

runs("a pod that has ended is gone; what has ended already is never told", async () => {
  server.objects.put(pod("job", {}, "Succeeded"));
  server.objects.put(pod("web"));
  await follow();
  expect([...objects.keys()]).toEqual(["pods/shop/web"]);
  await settled();
  server.objects.put(pod("web", {}, "Failed"));
  await until("it went", () => objects.size === 0);
});

runs("a token that is renewed is used; one that is refused is told of, and what was told stands", async () => {
  server.objects.put(pod("a"));
  await follow();
  await settled();
  server.tokens.clear();
  server.endWatches();
  await until("it is told", () => failures.size === 4);
  expect(failures.get("pods")).toBe("may not watch: 401 Unauthorized");
  expect([...forbidden]).toEqual([]);
  expect(objects.size).toBe(1);
  server.tokens.add("new");
  token = "new";
  server.objects.put(pod("b"));
  await until("it goes on", () => objects.size === 2 && failures.size === 0);
});

runs("without rights the resource and the verb are named; when they are given it goes on", async () => {
  server.objects.put(pod("a"));
  server.forbidden.add("list pods");
  await follow();
  expect([...failures]).toEqual([["pods", 'may not list: 403 User "node" cannot list pods at the cluster scope']]);
  expect(tellings).toBe(0);
  server.forbidden.clear();
  await until("it is told", () => tellings > 0 && failures.size === 0 && objects.size === 1);
});

runs("what policies are not made of holds them up as little as a right to it that is lacking", async () => {
  const access = async () => ({ server: new URL(server.url), ca: cluster.ca, token });
  source = hurriedSource(access, {}, true, true);
  server.objects.put(pod("a"));
  server.forbidden.add("list addresspools").add("list network-attachment-definitions");
  await follow();
  const others = ["addresspools.selvedge.dev", "network-attachment-definitions.k8s.cni.cncf.io"];
  expect([...failures.keys()].sort()).toEqual(others);
  expect([...forbidden].sort()).toEqual(others);
  expect([objects.size, lacking.toSorted()]).toEqual([1, others]);
  expect(tellings).toBeGreaterThan(0);
  server.forbidden.clear();
  await until("they are told", () => lacking.length === 0 && failures.size === 0);
});

runs("a cluster without ClusterNetworkPolicies has none, until it knows them", async () => {
  server.unknown.add("ClusterNetworkPolicy");
  await follow();
  expect([tellings, [...failures]]).toEqual([1, []]);
  server.unknown.clear();
  const { apiVersion, kind } = { apiVersion: "policy.networking.k8s.io/v1alpha2", kind: "ClusterNetworkPolicy" };
  server.objects.put({ apiVersion, kind, metadata: { name: "lockdown" } });
  await until("it is told", () => objects.has("clusternetworkpolicies.policy.networking.k8s.io/lockdown"));
  server.unknown.add("ClusterNetworkPolicy");
  server.expireWatches();
  await until("it went", () => objects.size === 0);
});

runs("a server that is another is not asked", async () => {
  using certificates = pki();
  const other = certificates.authority("another");
  source = hurriedSource(async () => ({ server: new URL(server.url), ca: readFileSync(other.ca, "utf8"), token }));
  await follow();
  expect([...failures.keys()]).toEqual(["API server"]);
  expect(failures.get("API server")).toMatch(/127\.0\.0\.1:\d+: .*certificate.*ca\.crt/);
  expect(server.asked).toEqual([]);
});

runs("a pod that the watch has not told of is asked for, and one of another uid under its name", async () => {
  server.objects.put(SHOP);
  await follow();
  await settled();
  // From now on the watch tells nothing.
  server.forbidden.add("watch pods");
  server.endWatches();
  await until("it is told", () => failures.has("pods"));
  server.objects.put(pod("a", { app: "web" }));
  await source.knowPod?.({ namespace: "shop", name: "a" });
  expect(objects.get("pods/shop/a")).toBe('{"app":"web"}');
  const gets = asked("get pods");
  await source.knowPod?.({ namespace: "shop", name: "a", uid: "uid-2" });
  expect(asked("get pods")).toBe(gets);
  server.objects.remove(pod("a"));
  server.objects.put(pod("a", { app: "other" }));
  await source.knowPod?.({ namespace: "shop", name: "a", uid: "uid-3" });
  expect(objects.get("pods/shop/a")).toBe('{"app":"other"}');
  // One that nobody knows has no labels.
  await source.knowPod?.({ namespace: "shop", name: "static" });
  server.forbidden.add("get pods");
  await expect(source.knowPod?.({ namespace: "shop", name: "b" })).rejects.toThrow(
    'the labels of pod shop/b are not known: may not get pods: 403 User "node" cannot get pods at the cluster scope',
  );
  server.forbidden.clear();
  await server.away();
  await expect(source.knowPod?.({ namespace: "shop", name: "b" })).rejects.toThrow(
    /^the labels of pod shop\/b are not known: https:.*ECONN/,
  );
  await source.knowPod?.({ namespace: "shop", name: "a", uid: "uid-3" });
  await server.back();
});

runs("a pod waits for its namespace, whose labels policies go by, and does not start without", async () => {
  await follow();
  await settled();
  server.objects.put(pod("a"));
  await until("the pod is told", () => objects.has("pods/shop/a"));
  let isKnown = false;
  const known = source.knowPod?.({ namespace: "shop", name: "a" })?.then(() => {
    isKnown = true;
  });
  await sleep(100);
  expect(isKnown).toBe(false);
  server.objects.put(SHOP);
  await known;
  expect(objects.get("namespaces/shop")).toBe('{"team":"a"}');
  server.objects.remove(SHOP);
  await until("it went", () => !objects.has("namespaces/shop"));
  await expect(source.knowPod?.({ namespace: "shop", name: "a" })).rejects.toThrow(
    "the labels of namespace shop are not known",
  );
});

runs("when one object can be had again, whoever has lost the server tries at once", async () => {
  const patience = { firstMs: 600_000, longestMs: 600_000, steadyMs: 0 };
  source = hurriedSource(async () => ({ server: new URL(server.url), ca: cluster.ca, token }), patience);
  await follow();
  await settled();
  await server.away();
  await until("it is lost", () => failures.has("API server"));
  await server.back();
  await eventually("it is reached", async () => {
    await source.knowPod?.({ namespace: "shop", name: "nobody" });
    return !failures.has("API server") || undefined;
  });
  server.objects.put(pod("a"));
  await until("pods are watched", () => objects.has("pods/shop/a"));
});
