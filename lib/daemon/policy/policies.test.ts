import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import type { Listener, PodName } from "#lib/k8s/objects.ts";
import type { Event } from "#lib/log.ts";
import type { Op } from "#lib/state/diff.ts";
import { type ElementFact, type Fact, identity } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { openPolicies } from "./policies.ts";

const DENY_ALL = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "x", name: "only" },
  spec: { podSelector: {} },
};
const FROM_A_BLOCK = {
  ...DENY_ALL,
  spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "192.0.2.0/24" } }] }] },
};
const RECORD = sampleRecord({
  config: JSON.stringify({ cniVersion: "1.1.0", name: "net", type: "selvedge" }),
  facts: [{ type: "address", at: "pod", link: "eth0", address: "10.1.0.5/32" as never }],
  pod: "x/a",
});

/** Elements as a kernel holds them, and what happens to it, in order. */
async function rig(
  objects: readonly unknown[],
  records: readonly AttachmentRecord[] = [],
  knowPod?: (pod: PodName, listener: Listener) => Promise<void>,
  ...refused: readonly string[]
) {
  const standing = new Map<string, ElementFact>();
  const done: string[] = [];
  const events: Event[] = [];
  const waits: string[] = [];
  let listener: Listener | undefined;
  let isBroken = false;
  const policies = openPolicies({
    source: {
      async follow(heard) {
        listener = heard;
        for (const [i, object] of objects.entries()) heard.put(`o${i}`, object);
        for (const name of refused) heard.failed(name, "may not list: 403");
        heard.told();
        return { done: Promise.resolve() };
      },
      ...(knowPod && { knowPod: async (pod) => listener && knowPod(pod, listener) }),
    },
    kernel: {
      async *elements() {
        yield [...standing.values()];
      },
      look: async (_scope, facts: readonly Fact[]) => facts.flatMap((fact) => standing.get(identity(fact)) ?? []),
      async apply(_scope, ops: readonly Op[]) {
        if (isBroken) throw new SelvedgeError({ kind: "kernel", call: "sendmsg", errno: 105 }, "sendmsg: ENOBUFS");
        if (ops.length > 0) done.push(...new Set(ops.map((op) => op.do)));
        for (const { do: verb, fact } of ops)
          if (fact.type === "element")
            if (verb === "remove") standing.delete(identity(fact));
            else standing.set(identity(fact), fact);
      },
    },
    log: (event) => void events.push(event),
    clockUs: () => 0,
    audit: false,
    remakeTables: async () => void done.push("tables"),
    poke: () => void done.push("poke"),
    waits: (reason) => void waits.push(reason ?? "nothing"),
  });
  await policies.begin(records, new AbortController().signal);
  return {
    policies,
    events,
    waits,
    standing: () => [...standing.values()].map((fact) => `${fact.set} ${fact.key.join(" ")}`).sort(),
    listener: () => listener,
    /** As if somebody had taken them away. */
    lose(...names: readonly string[]) {
      for (const [id, { set, key }] of standing) if (names.includes(`${set} ${key.join(" ")}`)) standing.delete(id);
    },
    break(broken: boolean) {
      isBroken = broken;
    },
    /** What the change does, in order. */
    async after(object: unknown): Promise<string[]> {
      done.length = 0;
      listener?.put("o0", object);
      listener?.told();
      await policies.release({ containerId: "none", ifname: "" }).catch(() => {});
      return [...done];
    },
  };
}

const CONFINED = [
  "confined_in4 10.1.0.5",
  "policy_in4 10.1.0.5 0:0",
  "policy_in4 10.1.0.5 0:1",
  "policy_pods4 10.1.0.5",
  "policy_self4 10.1.0.5 10.1.0.5",
];
const withoutRows = (all: readonly string[]) => all.filter((each) => !each.startsWith("policy_denies"));

test("a pod is held from its ADD to its DEL, and what stands at a start is only compared", async () => {
  const one = await rig([DENY_ALL]);
  await one.policies.hold(RECORD);
  expect(withoutRows(one.standing())).toEqual(CONFINED);
  expect(await one.policies.lacks()).toEqual([]);
  await one.policies.release(RECORD);
  expect(one.standing()).toEqual([]);

  const again = await rig([DENY_ALL], [RECORD]);
  expect(again.standing()).toEqual([]);
  expect(again.policies.isDoubtful).toBe(true);
  expect((await again.policies.repairAll()).length).toBe(6);
  expect(again.policies.isDoubtful).toBe(false);
  expect(withoutRows(again.standing())).toEqual(CONFINED);
  expect(await again.policies.repairAll()).toEqual([]);
});

test("rows come before the chains that lead to them, and go after", async () => {
  const one = await rig([DENY_ALL], [RECORD]);
  await one.policies.repairAll();
  expect(await one.after(FROM_A_BLOCK)).toEqual(["add", "tables"]);
  expect(await one.after(DENY_ALL)).toEqual(["tables", "remove"]);
});

test("of very many elements a pass looks at a share, and at all of them where something is doubtful", async () => {
  const count = 25_000;
  const pods = Array.from({ length: count }, (_, n) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "x", name: `p${n}`, uid: `${n}` },
    status: { podIPs: [{ ip: `10.9.${n >> 8}.${n & 255}` }] },
  }));
  const one = await rig(pods);
  await one.policies.repairAll();
  expect(one.standing()).toHaveLength(count);
  expect(one.policies.isRoundOver).toBe(true);
  one.lose("policy_pods4 10.9.0.0", "policy_pods4 10.9.97.167");
  const rounds: (readonly [done: number, isOver: boolean])[] = [];
  for (let pass = 0; pass < 3; pass++)
    rounds.push([(await one.policies.repairShare()).length, one.policies.isRoundOver]);
  expect(rounds).toEqual([
    [1, false],
    [0, false],
    [1, true],
  ]);
  one.lose("policy_pods4 10.9.97.167");
  one.break(true);
  await one.after(DENY_ALL);
  one.break(false);
  expect(one.policies.isDoubtful).toBe(true);
  await one.policies.repairShare();
  expect(one.standing()).toContain("policy_pods4 10.9.97.167");
  expect(one.policies.isRoundOver).toBe(true);
});

test("what the kernel refuses makes the next pass look", async () => {
  const one = await rig([], [RECORD]);
  await one.policies.repairAll();
  one.break(true);
  expect(await one.after(DENY_ALL)).toContain("poke");
  expect(one.events).toContainEqual({ event: "policies-failed", message: "sendmsg: ENOBUFS" });
  expect(one.policies.isDoubtful).toBe(true);
  one.break(false);
  await one.policies.repairAll();
  expect(withoutRows(one.standing())).toEqual(CONFINED);
});

test("no pod starts before everything was read once; a mistake afterwards leaves what stood", async () => {
  const wrong = { ...DENY_ALL, spec: { podSelektor: {} } };
  const one = await rig([wrong, { ...DENY_ALL, metadata: { namespace: "x", name: "other" } }], [RECORD]);
  expect(one.policies.isInformed).toBe(false);
  expect(await one.policies.repairAll()).toEqual([]);
  expect(one.standing()).toEqual([]);
  await expect(one.policies.hold(RECORD)).rejects.toThrow(
    "policies are not known yet: o0: NetworkPolicy x/only: spec.podSelektor: there is no such field; did you mean podSelector?",
  );
  await one.after(DENY_ALL);
  await one.policies.hold(RECORD);
  await one.after(wrong);
  expect(withoutRows(one.standing())).toEqual(CONFINED);
  expect([...one.policies.refused.keys()]).toEqual(["o0"]);
});

const POD = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "x", name: "a", labels: { app: "web" } } };
const WEB_ONLY = { ...DENY_ALL, spec: { podSelector: { matchLabels: { app: "web" } } } };

test("a pod that nobody has told of yet is asked for before its first packet, and when it cannot be had it does not start", async () => {
  const asked: PodName[] = [];
  let isAway = true;
  const one = await rig([WEB_ONLY], [], async (pod, listener) => {
    asked.push(pod);
    if (isAway) throw new SelvedgeError({ kind: "not-ready" }, "the labels of pod x/a are not known");
    listener.put("pods/x/a", POD);
    listener.told();
  });
  const record = { ...RECORD, args: "K8S_POD_UID=u1" };
  await expect(one.policies.hold(record)).rejects.toThrow("the labels of pod x/a are not known");
  expect(one.standing()).toEqual([]);
  isAway = false;
  await one.policies.hold(record);
  expect(withoutRows(one.standing())).toEqual(CONFINED);
  expect(asked).toEqual([
    { namespace: "x", name: "a", uid: "u1" },
    { namespace: "x", name: "a", uid: "u1" },
  ]);
});

test("a pod that is deleted while it runs does not escape the policies that meant it", async () => {
  const one = await rig([WEB_ONLY, POD], []);
  await one.policies.hold(RECORD);
  expect(withoutRows(one.standing())).toEqual(CONFINED);
  one.listener()?.remove("o1");
  one.listener()?.told();
  await one.policies.release({ containerId: "none", ifname: "" });
  expect(withoutRows(one.standing())).toEqual(CONFINED);
});

test("what policies are not made of may be refused, and is told of", async () => {
  const one = await rig([], [RECORD], undefined, "addresspools.selvedge.dev");
  expect([one.waits.at(-1), one.policies.isInformed]).toEqual(["nothing", true]);
  expect(one.policies.refused.get("addresspools.selvedge.dev")).toBe("may not list: 403");
  const other = await rig([], [RECORD], undefined, "addresspools.selvedge.dev", "pods");
  expect([other.waits.at(-1), other.policies.isInformed]).toEqual([
    "policies are not known yet: pods: may not list: 403",
    false,
  ]);
});

test("what says nothing new is not logged; what was refused and can be read is", async () => {
  const one = await rig([{ ...DENY_ALL, spec: { podSelektor: {} } }, POD], [RECORD]);
  expect(one.waits.at(-1)).toMatch(/^policies are not known yet: o0: NetworkPolicy x\/only: spec\.podSelektor/);
  await one.after(DENY_ALL);
  expect(one.waits.at(-1)).toBe("nothing");
  expect(one.events).toContainEqual({ event: "policy-readable", object: "o0" });
  const changes = () => one.events.filter(({ event }) => event === "policies-changed").length;
  const before = changes();
  await one.after({ ...DENY_ALL, metadata: { ...DENY_ALL.metadata, resourceVersion: "7" } });
  expect(changes()).toBe(before);
  await one.after(FROM_A_BLOCK);
  expect(changes()).toBe(before + 1);
});

test("a rule that is stricter than it is written is told of once, and is no mistake that pods wait for", async () => {
  const one = await rig([
    {
      apiVersion: "policy.networking.k8s.io/v1alpha2",
      kind: "ClusterNetworkPolicy",
      metadata: { name: "all" },
      spec: {
        tier: "Admin",
        priority: 1,
        subject: { namespaces: {} },
        egress: [{ action: "Deny", to: [{ nodes: {} }] }],
      },
    },
  ]);
  await one.policies.hold(RECORD);
  expect(one.events.filter(({ event }) => event.startsWith("policy-"))).toEqual([
    { event: "policy-closed", object: "o0", message: "egress[0] denies everything: peers by nodes are not supported" },
  ]);
  expect(one.standing()).toContain("confined_out4 10.1.0.5");
});

test.each([
  ["a container that is no pod", { pod: undefined }, []],
  [
    "a macvlan",
    { type: "macvlan" },
    [{ event: "policy-blind", container: "c1", ifname: "eth0", pod: "x/a", type: "macvlan" }],
  ],
])("%s is held to nothing", async (_name, over, events) => {
  const one = await rig([DENY_ALL]);
  await one.policies.hold({ ...RECORD, ...over } as AttachmentRecord);
  expect(one.standing()).toEqual([]);
  expect(one.events.filter(({ event }) => event === "policy-blind")).toEqual(events);
});
