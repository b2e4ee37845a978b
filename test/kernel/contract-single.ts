/**
 * What every implementation of the port has to do with links that have no other end, with VLANs of bridge ports and
 * with forwarding entries. The groups that this machine's kernel lacks run in the guest of test/vm.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, type test as jestTest } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/kernel/kernel.ts";
import type { Meddling } from "#lib/kernel/meddling.ts";
import { diff, type Op } from "#lib/state/diff.ts";
import { EVERYONE_ELSE, type Fact, identity, type LinkFact, type PortVlanFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import type { KernelPiece } from "../support/kernel-piece.ts";
import type { Rig } from "./contract.ts";

export interface SingleContract {
  readonly open: () => Promise<Rig>;
  /** The test function for what needs these pieces of the kernel. */
  readonly needing: (...pieces: readonly KernelPiece[]) => typeof jestTest | typeof jestTest.skip;
}

/** Every state after every other one: some hundred changes. */
const WALK_MS = 120_000;
/** Links of the host that are not ours. */
const PARENTS = ["up0", "up1"] as const;
const POD_MAC = mac("02:00:00:00:00:51");

const carried = (kind: LinkFact["kind"], more: Partial<LinkFact>): Fact[] => [
  {
    type: "link",
    at: "pod",
    name: "eth0",
    kind,
    up: true,
    mtu: 1400,
    parent: { at: "host", name: "up0" },
    ...(kind === "ipvlan" || more.mode === "passthru" ? {} : { mac: POD_MAC }),
    ...more,
  },
  { type: "address", at: "pod", link: "eth0", address: prefix("10.5.0.2/24") },
  { type: "route", at: "pod", to: prefix("0.0.0.0/0"), link: "eth0", via: address("10.5.0.1") },
];

/** The node's own way to the pods on a parent. */
const shim: Fact[] = [
  {
    type: "link",
    at: "host",
    name: "ss0",
    kind: "macvlan",
    up: true,
    alias: "selvedge shim up0",
    parent: { at: "host", name: "up0" },
    mode: "bridge",
  },
  { type: "route", at: "host", to: prefix("10.5.0.2/32"), link: "ss0" },
];

const outer = (id: number): Fact => ({
  type: "link",
  at: "host",
  name: "so0",
  kind: "vlan",
  up: true,
  alias: "selvedge outer",
  parent: { at: "host", name: "up0" },
  vlan: { id, protocol: "802.1ad" },
});

const tap = (more: Partial<LinkFact>): Fact[] => [
  { type: "link", at: "pod", name: "tap0", kind: "tap", up: true, mtu: 1400, mac: POD_MAC, ...more },
];

const vxlan = (id: number, to: readonly string[], parent?: string): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sx0",
    kind: "vxlan",
    up: true,
    alias: "selvedge vxlan",
    vxlan: { id, port: 4790, local: address("192.0.2.1") },
    ...(parent === undefined ? {} : { parent: { at: "host", name: parent } }),
  },
  ...to.map((each): Fact => ({ type: "forward", at: "host", link: "sx0", mac: EVERYONE_ELSE, to: address(each) })),
  { type: "forward", at: "host", link: "sx0", mac: POD_MAC, to: address("192.0.2.9") },
];

const FILTERING: Fact = {
  type: "link",
  at: "host",
  name: "sf0",
  kind: "bridge",
  up: true,
  alias: "selvedge sf0",
  vlanFiltering: true,
};
const vlanOf = (link: string, vid: number, isUntagged: boolean): PortVlanFact => ({
  type: "port-vlan",
  at: "host",
  link,
  vid,
  pvid: isUntagged,
  untagged: isUntagged,
});
const port = (master: string, ...vlans: readonly [vid: number, isUntagged: boolean][]): Fact[] => [
  {
    type: "link",
    at: "host",
    name: "sv0",
    kind: "veth",
    up: true,
    alias: "selvedge c1 eth0",
    peer: { at: "pod", name: "eth0" },
    master,
  },
  { type: "link", at: "pod", name: "eth0", kind: "veth", up: true, peer: { at: "host", name: "sv0" } },
  ...vlans.map(([vid, isUntagged]) => vlanOf("sv0", vid, isUntagged)),
];

interface Group {
  readonly needs: readonly KernelPiece[];
  readonly states: Readonly<Record<string, readonly Fact[]>>;
  /** What somebody does to a state, and what the repair has to say among other things. */
  readonly meddlings: readonly [state: string, at: "host" | "pod", change: Meddling, expected: string][];
}

const GROUPS = {
  macvlan: {
    needs: [],
    states: {
      bridge: carried("macvlan", { mode: "bridge" }),
      "bridge, with a shim": [...shim, ...carried("macvlan", { mode: "bridge" })],
      vepa: carried("macvlan", { mode: "vepa" }),
      "private, on another parent": carried("macvlan", { mode: "private", parent: { at: "host", name: "up1" } }),
      passthru: carried("macvlan", { mode: "passthru", parent: { at: "host", name: "up1" } }),
    },
    meddlings: [
      ["bridge", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] macvlan up parent up0 mode bridge"],
      [
        "bridge",
        "pod",
        { do: "set-mode", link: "eth0", kind: "macvlan", mode: "private" },
        "~ link eth0 [pod] macvlan",
      ],
      ["bridge", "pod", { do: "set-link", link: "eth0", mtu: 1300 }, "~ link eth0 [pod] macvlan"],
      [
        "bridge",
        "pod",
        { do: "delete-route", link: "eth0", to: prefix("0.0.0.0/0") },
        "+ route 0.0.0.0/0 via 10.5.0.1",
      ],
      ["bridge, with a shim", "host", { do: "delete-link", link: "ss0" }, "+ link ss0 macvlan"],
    ],
  },
  ipvlan: {
    needs: ["ipvlan"],
    states: {
      l2: carried("ipvlan", { mode: "l2" }),
      l3: carried("ipvlan", { mode: "l3" }),
      "l3s, on another parent": carried("ipvlan", { mode: "l3s", parent: { at: "host", name: "up1" } }),
    },
    meddlings: [
      ["l2", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] ipvlan up parent up0 mode l2"],
      ["l2", "pod", { do: "set-mode", link: "eth0", kind: "ipvlan", mode: "l3" }, "~ link eth0 [pod] ipvlan"],
    ],
  },
  vlan: {
    needs: ["vlan"],
    states: {
      "802.1Q": carried("vlan", { vlan: { id: 100, protocol: "802.1Q" } }),
      "802.1Q, another id": carried("vlan", { vlan: { id: 200, protocol: "802.1Q" } }),
      "802.1ad": carried("vlan", { vlan: { id: 100, protocol: "802.1ad" } }),
      "a tag within a tag": [
        outer(300),
        ...carried("vlan", { vlan: { id: 100, protocol: "802.1Q" }, parent: { at: "host", name: "so0" } }),
      ],
      "a tag within another tag": [
        outer(301),
        ...carried("vlan", { vlan: { id: 100, protocol: "802.1Q" }, parent: { at: "host", name: "so0" } }),
      ],
    },
    meddlings: [
      ["802.1Q", "pod", { do: "delete-link", link: "eth0" }, "+ link eth0 [pod] vlan up parent up0 id 100"],
      ["a tag within a tag", "host", { do: "delete-link", link: "so0" }, "+ link so0 vlan up parent up0 id 300"],
    ],
  },
  tap: {
    needs: [],
    states: {
      plain: tap({}),
      "for one user": tap({ tap: { owner: 107, group: 108 } }),
      "for another user, with many queues": tap({ tap: { owner: 109, multiQueue: true } }),
      "in a bridge of the pod": [
        { type: "link", at: "pod", name: "br0", kind: "bridge", up: true },
        ...tap({ master: "br0" }),
      ],
    },
    meddlings: [
      ["for one user", "pod", { do: "delete-link", link: "tap0" }, "+ link tap0 [pod] tap"],
      ["for one user", "pod", { do: "set-link", link: "tap0", up: false }, "~ link tap0 [pod] tap up"],
    ],
  },
  vxlan: {
    needs: [],
    states: {
      "one peer": vxlan(70, ["192.0.2.2"]),
      "two peers": vxlan(70, ["192.0.2.2", "192.0.2.3"]),
      "another id, by a parent": vxlan(71, ["192.0.2.3"], "up0"),
    },
    meddlings: [
      [
        "two peers",
        "host",
        { do: "delete-forward", link: "sx0", mac: EVERYONE_ELSE, to: address("192.0.2.3") },
        "+ fdb 00:00:00:00:00:00 dev sx0 dst 192.0.2.3",
      ],
      ["two peers", "host", { do: "delete-link", link: "sx0" }, "+ link sx0 vxlan"],
    ],
  },
  "VLANs of ports": {
    needs: ["bridge-vlan"],
    states: {
      access: [FILTERING, ...port("sf0", [100, true])],
      "another VLAN": [FILTERING, ...port("sf0", [101, true])],
      trunk: [FILTERING, ...port("sf0", [100, false], [101, false], [102, false], [200, true])],
      "the bridge is on one, too": [FILTERING, vlanOf("sf0", 100, true), ...port("sf0", [100, true])],
      "a bridge that gives its ports VLAN 1": [
        { ...FILTERING, name: "sf1", alias: "selvedge sf1", vlanFiltering: false },
        ...port("sf1", [100, true]),
      ],
    },
    meddlings: [
      ["access", "host", { do: "delete-port-vlan", link: "sv0", vid: 100 }, "+ vlan 100 dev sv0 pvid untagged"],
      ["access", "host", { do: "add-port-vlan", link: "sv0", vid: 666, pvid: false }, "- vlan 666 dev sv0"],
      [
        "access",
        "host",
        { do: "add-port-vlan", link: "sv0", vid: 666, pvid: true },
        "~ vlan 100 dev sv0 pvid untagged",
      ],
    ],
  },
} as const satisfies Readonly<Record<string, Group>>;

export function singleContract({ open, needing }: SingleContract): void {
  /** With two parents that are not ours and one namespace. */
  async function withPod(work: (at: Rig & { scope: { netns: string } }) => Promise<void>): Promise<void> {
    await using rig = await open();
    const netns = await rig.addNamespace();
    for (const link of PARENTS) await rig.meddle(undefined, { do: "add-link", link });
    await work({ ...rig, scope: { netns } });
  }

  for (const [group, { needs, states, meddlings }] of Object.entries<Group>(GROUPS)) {
    const test = needing(...needs);
    const all = unique(Object.values(states).flat());

    test(
      `${group}: any state to any other, and nothing touches the parents`,
      () =>
        withPod(async ({ kernel, scope }) => {
          const parents = PARENTS.map((name): Fact => ({ type: "link", at: "host", name, kind: "foreign", up: true }));
          const before = await kernel.look({}, parents);
          const names = ["nothing", ...Object.keys(states)];
          for (const from of names)
            for (const to of names) {
              for (const name of [from, to]) {
                const want = states[name] ?? [];
                await kernel.apply(scope, diff(want, await kernel.look(scope, [...want, ...others(all, want)])));
                await kernel.settled();
                expect({ [`${from}, ${to}`]: lines(want, await kernel.look(scope, want)) }).toEqual({
                  [`${from}, ${to}`]: [],
                });
              }
            }
          await kernel.apply(scope, diff([], await kernel.look(scope, all)));
          await kernel.settled();
          expect((await kernel.look(scope, all)).map(identity)).toEqual([]);
          expect(await kernel.look({}, parents)).toEqual(
            before.map((fact) => ({ ...fact, promiscuous: expect.anything() })),
          );
        }),
      WALK_MS,
    );

    test.each(Object.keys(states))(`${group}: applying and removing twice succeeds: %s`, (name) =>
      withPod(async ({ kernel, scope }) => {
        const want = states[name] ?? [];
        for (const _again of [1, 2]) await kernel.apply(scope, add(want));
        expect(lines(want, await kernel.look(scope, want))).toEqual([]);
        const owned = new Set((await kernel.owned()).map(identity));
        // Of a bridge that gives its ports a VLAN nobody can tell which are ours.
        const tells = want.includes(FILTERING);
        const onHost = want.filter((fact) => fact.at === "host" && (tells || fact.type !== "port-vlan")).map(identity);
        expect(onHost.filter((id) => !owned.has(id))).toEqual([]);
        for (const _again of [1, 2]) await kernel.apply(scope, remove(want));
        await kernel.settled();
        expect((await kernel.look(scope, want)).map(identity)).toEqual([]);
        expect((await kernel.owned()).map(identity)).toEqual([]);
      }),
    );

    test.each(meddlings)(
      `${group}: what others change is seen, heard of and repaired: %s, %s, %j`,
      (name, at, change, expected) =>
        withPod(async ({ kernel, scope, meddle }) => {
          const want = states[name] ?? [];
          const end = new AbortController();
          const told: (Change | undefined)[] = [];
          const watching = kernel.watch((heard) => told.push(heard), end.signal);
          await kernel.apply(scope, add(want));
          await sleep(60);
          expect(told).toEqual([]);
          await meddle(at === "pod" ? scope.netns : undefined, change);
          const ops = diff(want, await kernel.look(scope, want));
          expect(ops.map(line)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
          await kernel.apply(scope, ops);
          expect(lines(want, await kernel.look(scope, want))).toEqual([]);
          if (!UNHEARD.has(change.do) || at === "pod") await until(() => told.some((heard) => heard?.where === at));
          end.abort();
          await watching;
        }),
    );

    test(`${group}: a namespace that is gone holds nothing, and what was in it can be removed`, () =>
      withPod(async ({ kernel, scope, removeNamespace }) => {
        const want = Object.values(states)[0] ?? [];
        await kernel.apply(scope, add(want));
        await removeNamespace(scope.netns);
        await kernel.apply(scope, remove(want));
        await kernel.settled();
        expect((await kernel.look(scope, want)).filter((fact) => fact.at === "pod")).toEqual([]);
      }));
  }

  needing()("a link that is taken, or cannot be carried, is refused by name", () =>
    withPod(async ({ kernel, scope, meddle }) => {
      const nowhere = carried("macvlan", { mode: "bridge", parent: { at: "host", name: "up9" } });
      const error = await refusalOf(kernel.apply(scope, add(nowhere)));
      expect(error).toMatch(/its parent up9/);
      await meddle(scope.netns, { do: "add-link", link: "eth0" });
      expect(await refusalOf(kernel.apply(scope, add(carried("macvlan", { mode: "bridge" }))))).toMatch(/^eth0/);
    }),
  );

  needing("vlan")("a VLAN that another link of the parent has is a conflict that says so", () =>
    withPod(async ({ kernel, scope, addNamespace }) => {
      const want = carried("vlan", { vlan: { id: 100, protocol: "802.1Q" } });
      await kernel.apply({ netns: await addNamespace() }, add(want));
      expect(await refusalOf(kernel.apply(scope, add(want)))).toBe(
        "VLAN 100 (802.1Q) is taken on up0: another link has it",
      );
    }),
  );

  needing()("the groups have states, and each has something done to it", () => {
    expect(Object.keys(GROUPS)).toHaveLength(6);
    for (const { states, meddlings } of Object.values<Group>(GROUPS)) {
      expect(Object.keys(states).length).toBeGreaterThan(2);
      expect(meddlings.length).toBeGreaterThan(1);
      for (const [state] of meddlings) expect(states[state]).toBeDefined();
    }
  });
}

/** A VLAN too many on a port is found by the next look; nobody asked for it, so its notification names nothing known. */
const UNHEARD: ReadonlySet<Meddling["do"]> = new Set(["add-port-vlan"]);

const add = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "add", fact }));
const remove = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "remove", fact }));
const lines = (want: readonly Fact[], have: readonly Fact[]): string[] => diff(want, have).map(line);

/** One fact for each identity: what `look` is asked for. */
const unique = (facts: readonly Fact[]): Fact[] => [...new Map(facts.map((fact) => [identity(fact), fact])).values()];
const others = (all: readonly Fact[], want: readonly Fact[]): Fact[] => {
  const wanted = new Set(want.map(identity));
  return all.filter((fact) => !wanted.has(identity(fact)));
};

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isFailure(error)) throw error ?? new Error("nothing was refused");
  return error.message;
}

/** Events come behind the call: waits for three seconds. */
async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 3000; performance.now() < end; await sleep(20)) if (holds()) return;
  expect(holds()).toBe(true);
}
