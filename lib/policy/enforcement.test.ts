import { expect, test } from "@jest/globals";
import { type Address, address } from "#lib/address.ts";
import { enforcement } from "./enforcement.ts";
import type { Labels, Pod } from "./objects.ts";

const A = address("10.66.0.9");
const B = address("10.66.0.10");
const pod = (name: string, addresses: readonly Address[] = [A], labels: Labels = { app: name }): Pod => ({
  namespace: "shop",
  name,
  labels,
  ports: [],
  addresses,
});
const held = (name: string, addresses: readonly Address[] = [A], labels?: Labels) => ({
  key: `${name} eth0`,
  namespace: "shop",
  name,
  addresses,
  ...(labels === undefined ? {} : { labels }),
});

function rig() {
  const all = enforcement();
  /** Whose the address is, in memory and in the kernel. */
  const whose = (at: Address = A) => {
    const name = all.podAt(at)?.name;
    const classes = [...all.elements()].filter(({ set, key }) => set === "policy_pods4" && key[0] === at);
    expect(classes).toHaveLength(name === undefined ? 0 : 1);
    return name;
  };
  return { all, whose };
}

test("an address is that of the pod that was told with it last, however often others are told of again", () => {
  const { all, whose } = rig();
  all.putPod(pod("old"));
  expect(whose()).toBe("old");
  all.putPod(pod("new"));
  all.putPod(pod("old", [A], { app: "old", state: "terminating" }));
  expect(whose()).toBe("new");
  all.removePod("shop/old");
  expect(whose()).toBe("new");
  all.removePod("shop/new");
  expect(whose()).toBeUndefined();
});

test("an address that its pod gives up is that of who was told with it before", () => {
  const { all, whose } = rig();
  for (const name of ["first", "second", "third"]) all.putPod(pod(name));
  all.putPod(pod("third", [B]));
  expect([whose(), whose(B)]).toEqual(["second", "third"]);
  all.putPod(pod("first", []));
  all.removePod("shop/second");
  expect(whose()).toBeUndefined();
  all.putPod(pod("first"));
  expect(whose()).toBe("first");
});

test("what is attached here has its address until it is released, then who was told with it meanwhile", () => {
  const { all, whose } = rig();
  all.putPod(pod("here"));
  all.hold(held("here"));
  all.putPod(pod("there"));
  expect(whose()).toBe("here");
  all.release("here eth0");
  expect(whose()).toBe("there");
  all.putPod(pod("here", [A], { app: "here", state: "terminating" }));
  expect(whose()).toBe("there");
  all.hold(held("here"));
  expect(whose()).toBe("here");
  all.release("here eth0");
  all.removePod("shop/here");
  expect(whose()).toBe("there");
});

test("of two attachments here the newer one has the address", () => {
  const { all, whose } = rig();
  all.hold(held("one"));
  all.hold(held("two"));
  expect(whose()).toBe("two");
  all.release("two eth0");
  expect(whose()).toBe("one");
});

test("a pod that is gone while its container runs keeps the labels that it had, not those of its ADD", () => {
  const { all } = rig();
  all.hold(held("web", [A], { app: "web" }));
  expect(all.pod("shop/web")?.labels).toEqual({ app: "web" });
  all.putPod(pod("web", [A], { app: "web", state: "quarantine" }));
  all.removePod("shop/web");
  expect(all.pod("shop/web")?.labels).toEqual({ app: "web", state: "quarantine" });
  all.release("web eth0");
  expect(all.pod("shop/web")).toBeUndefined();
  all.hold(held("web", [A], { app: "next" }));
  expect(all.pod("shop/web")?.labels).toEqual({ app: "next" });
});

test("what was told of pods is told again as it was, whoever has their addresses", () => {
  const { all } = rig();
  const unready: Pod = { ...pod("new"), isUnready: true };
  all.putPod(pod("old"));
  all.putPod(pod("gone"));
  all.putPod(unready);
  all.hold(held("untold", [B]));
  all.removePod("shop/gone");
  expect([...all.told()]).toEqual([pod("old"), unready]);
  all.putPod(pod("new", [B]));
  expect([...all.told()]).toEqual([pod("old"), pod("new", [B])]);
});
