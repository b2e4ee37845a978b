import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { choiceText, chosenPods, type ToldPod } from "./chosen.ts";
import type { PodChoice } from "./router.ts";

const choice = (more: Partial<PodChoice>): PodChoice => ({ most: 1_000, ...more });
const WEB = choice({ namespace: "shop", labels: { app: "web" } });
const FRONT = choice({ labels: { tier: "front" } });
const SHOPS = choice({ namespace: "shop*" });
const pod = (key: string, labels: Record<string, string>, ...addresses: string[]): ToldPod => {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name, labels, addresses: addresses.map((each) => address(each)) };
};

function rig(...choices: PodChoice[]) {
  const pods = chosenPods();
  pods.choose(choices, []);
  const of = (one: PodChoice) => pods.addresses().get(choiceText(one));
  return { pods, of };
}

test("all that a choice names must hold", () => {
  const { pods, of } = rig(WEB, FRONT, SHOPS);
  pods.put(pod("shop/web-1", { app: "web", tier: "front" }, "10.66.0.5", "fd66::5"));
  pods.put(pod("shop/db-1", { app: "db" }, "10.66.0.6"));
  pods.put(pod("shop-eu/web-1", { app: "web" }, "10.66.0.7"));
  pods.put(pod("blog/web-1", { app: "web", tier: "front" }, "10.66.0.8"));
  expect(of(WEB)).toEqual(["10.66.0.5", "fd66::5"]);
  expect(of(FRONT)).toEqual(["10.66.0.5", "10.66.0.8", "fd66::5"]);
  expect(of(SHOPS)).toEqual(["10.66.0.5", "10.66.0.6", "10.66.0.7", "fd66::5"]);
});

test("choices of the same pods are one, in whatever order their labels stand and whatever may be their limit", () => {
  const [one, other] = [choice({ labels: { a: "1", b: "2" } }), choice({ labels: { b: "2", a: "1" }, most: 5 })];
  expect(choiceText(one)).toBe(choiceText(other));
  expect(choiceText(one)).not.toBe(choiceText(choice({ labels: { a: "1" } })));
});

test("those that are not ready are none of a choice of ready ones", () => {
  const ready = choice({ ...WEB, ready: true });
  const { pods, of } = rig(WEB, ready);
  const first = pod("shop/web-1", { app: "web" }, "10.66.0.5");
  pods.put(first);
  pods.put({ ...pod("shop/web-2", { app: "web" }, "10.66.0.6"), isUnready: true });
  expect([of(WEB), of(ready)]).toEqual([["10.66.0.5", "10.66.0.6"], ["10.66.0.5"]]);
  pods.put({ ...first, isUnready: true });
  expect([of(WEB), of(ready)]).toEqual([["10.66.0.5", "10.66.0.6"], []]);
  pods.put(first);
  expect(of(ready)).toEqual(["10.66.0.5"]);
});

test("it is another one only when addresses are others", () => {
  const { pods, of } = rig(WEB);
  expect(pods.take()).toBe(false);
  pods.put(pod("shop/web-1", { app: "web" }));
  pods.put(pod("shop/db-1", { app: "db" }, "10.66.0.6"));
  expect(pods.take()).toBe(false);
  pods.put(pod("shop/web-1", { app: "web" }, "10.66.0.5"));
  expect([pods.take(), pods.take()]).toEqual([true, false]);
  pods.put(pod("shop/web-1", { app: "web", version: "2" }, "10.66.0.5"));
  expect(pods.take()).toBe(false);
  // Its successor has its address before it is gone.
  pods.put(pod("shop/web-2", { app: "web" }, "10.66.0.5"));
  pods.remove("shop/web-1");
  expect(of(WEB)).toEqual(["10.66.0.5"]);
  pods.take();
  pods.put(pod("shop/web-2", { app: "other" }, "10.66.0.5"));
  expect(pods.take()).toBe(true);
  expect(of(WEB)).toEqual([]);
  pods.remove("shop/web-2");
  expect(pods.take()).toBe(false);
});

test("choices may become others: of the pods that are there a new one has its own, and one that stays keeps them", () => {
  const { pods, of } = rig(WEB);
  const there = [pod("shop/web-1", { app: "web", tier: "front" }, "10.66.0.5"), pod("shop/db-1", {}, "10.66.0.6")];
  for (const each of there) pods.put(each);
  pods.take();
  pods.choose([WEB, FRONT], there);
  expect([of(WEB), of(FRONT)]).toEqual([["10.66.0.5"], ["10.66.0.5"]]);
  pods.choose([SHOPS, FRONT], there);
  expect([of(WEB), of(SHOPS), of(FRONT)]).toEqual([undefined, ["10.66.0.5", "10.66.0.6"], ["10.66.0.5"]]);
  pods.remove("shop/web-1");
  expect([of(SHOPS), of(FRONT)]).toEqual([["10.66.0.6"], []]);
  pods.choose([], there);
  expect(pods.addresses().size).toBe(0);
});
