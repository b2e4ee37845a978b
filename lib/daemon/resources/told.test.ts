import { expect, test } from "@jest/globals";
import { hearResources } from "./told.ts";

const network = (name: string, spec: object, more: object = {}) => ({
  apiVersion: "selvedge.dev/v1alpha1",
  kind: "Network",
  metadata: { name, uid: `u-${name}`, generation: 3, creationTimestamp: "2027-01-15T08:00:00Z" },
  spec,
  ...more,
});

test("networks and pools are kept, the older first; what is said of them is no news", () => {
  let news = 0;
  const heard = hearResources(() => {
    news += 1;
  });
  const { put, remove, told } = heard.listener;
  put("pods/a", { apiVersion: "v1", kind: "Pod", metadata: { name: "a" } });
  put("networks/b", network("b", { mtu: 1_400 }));
  const older = { metadata: { name: "z", creationTimestamp: "2027-01-14T08:00:00Z" } };
  put("networks/z", network("z", {}, older));
  expect([heard.isTold, news]).toEqual([false, 0]);
  told();
  expect([heard.isTold, news]).toEqual([true, 1]);
  expect(heard.all()).toEqual([
    { kind: "Network", name: "z", spec: {}, uid: "", generation: 0, created: "2027-01-14T08:00:00Z", conditions: [] },
    {
      kind: "Network",
      name: "b",
      spec: { mtu: 1_400 },
      uid: "u-b",
      generation: 3,
      created: "2027-01-15T08:00:00Z",
      conditions: [],
    },
  ]);
  const condition = {
    type: "Accepted",
    status: "True",
    observedGeneration: 3,
    lastTransitionTime: "2027-01-15T08:00:01Z",
    reason: "Accepted",
    message: "m",
  };
  put("networks/b", network("b", { mtu: 1_400 }, { status: { conditions: [condition] } }));
  told();
  expect([heard.all()[1]?.conditions, news]).toEqual([[condition], 1]);
  put("networks/b", network("b", { mtu: 1_300 }));
  told();
  remove("networks/z");
  told();
  remove("pods/a");
  told();
  expect([heard.all().map(({ name }) => name), news]).toEqual([["b"], 3]);
});

test("of a router is kept what else was said of it", () => {
  const heard = hearResources(() => {});
  const lastPush = { revision: 3, time: "2027-01-15T08:00:00Z", result: "done" };
  heard.listener.put("routers/a", { ...network("a", {}), kind: "Router", status: { version: "1.4.1", lastPush } });
  heard.listener.put("networks/a", { ...network("a", {}), status: { version: "1.4.1" } });
  expect(heard.all().map(({ kind, router }) => [kind, router])).toEqual([
    ["Network", undefined],
    ["Router", { version: "1.4.1", lastPush }],
  ]);
});

test("one that was made anew with the same settings is news: it is younger", () => {
  let news = 0;
  const heard = hearResources(() => {
    news += 1;
  });
  const { put, told } = heard.listener;
  const made = (uid: string, day: number) => ({
    metadata: { name: "a", uid, creationTimestamp: `2027-01-${day}T08:00:00Z` },
  });
  put("networks/a", network("a", {}, made("u-1", 14)));
  put("networks/b", network("b", {}));
  told();
  put("networks/a", network("a", {}, made("u-2", 16)));
  told();
  expect([heard.all().map(({ name }) => name), news]).toEqual([["b", "a"], 2]);
});
