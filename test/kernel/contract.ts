/**
 * What every implementation of the port has to do. The same suite runs against the fake and against Linux, so that
 * what is tested with the fake is true of the real one. Most mistakes are in the transitions: so states follow each
 * other in a shuffled walk, which the seed repeats.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, type test as jestTest } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { type FailureKind, isFailure, type SelvedgeError } from "#lib/errors.ts";
import type { Change, Kernel, Scope } from "#lib/kernel/kernel.ts";
import type { Meddling } from "#lib/kernel/meddling.ts";
import { diff } from "#lib/state/diff.ts";
import { type Fact, identity, type TableFact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { eventually } from "../../conformance/program.ts";
import { allOwned } from "../support/owned.ts";
import {
  bandwidth,
  bridge,
  bridged,
  element,
  hostPorts,
  mirrors,
  nobody,
  type Pod,
  planes,
  pod,
  routed,
  totals,
} from "./contract-facts.ts";
import { add, remove } from "./ops.ts";

/** A kernel and the rest of its world. */
export interface Rig extends AsyncDisposable {
  readonly kernel: Kernel;
  /** Makes a namespace and returns its path. */
  addNamespace(): Promise<string>;
  removeNamespace(path: string): Promise<void>;
  /** Somebody else changes something in the namespace at a path, or on the host. */
  meddle(netns: string | undefined, change: Meddling): Promise<void>;
}

export interface Contract {
  /** A kernel with nothing of ours in it. */
  readonly open: () => Promise<Rig>;
  /** Our tables with the sets of lib/state/sets.ts. */
  readonly tables: readonly TableFact[];
  readonly test: typeof jestTest | typeof jestTest.skip;
  readonly seed?: number;
}

const FULL = { address6: address("fd00::1") } as const;
const full = (of: Pod): Fact[] => [
  ...routed(of, FULL),
  ...hostPorts(of, "10.1.0.1", 8080),
  ...bandwidth(of, 100_000_000),
];

const STATES: Readonly<Record<string, (of: Pod) => Fact[]>> = {
  nothing: () => [],
  "routed, IPv4": (of) => routed(of),
  "routed, both families": (of) => routed(of, FULL),
  "routed, another address and MTU": (of) => routed(of, { address4: address("10.1.0.99"), mtu: 1400 }),
  "routed with everything": full,
  "routed with other ports and rates": (of) => [
    ...routed(of, FULL),
    ...hostPorts(of, "10.1.0.2", 8080),
    ...bandwidth(of, 50_000_000),
  ],
  "routed, held to a total": (of) => [...routed(of), ...totals(of, 80_000_000)],
  "routed, held to another total": (of) => [...routed(of), ...totals(of, 40_000_000)],
  "routed and mirrored": (of) => [...routed(of), ...mirrors(of)],
  "two routed pairs, one with a routing table of its own": planes,
  "on the bridge": (of) => bridged(of),
  "on the bridge, hairpin": (of) => [...bridged(of, { hairpin: true }), ...bandwidth(of, 10_000_000)],
};

export function kernelContract({ open, tables, test, seed = 1 }: Contract): void {
  const shared = [...tables, ...bridge];

  /** With the shared facts applied and one namespace. */
  async function withPod(work: (at: Rig & { scope: Scope & { netns: string }; first: Pod }) => Promise<void>) {
    await using rig = await open();
    const netns = await rig.addNamespace();
    await rig.kernel.apply({}, add(shared));
    await work({ ...rig, scope: { netns }, first: pod(1) });
  }

  test("any state to any other, in a shuffled walk, with a neighbour that is not touched", () =>
    withPod(async ({ kernel, scope, first, addNamespace }) => {
      const second = pod(2);
      const neighbour = bridged(second);
      const other = { netns: await addNamespace() };
      await kernel.apply(other, add(neighbour));
      const names = Object.keys(STATES);
      const all = unique(Object.values(STATES).flatMap((state) => state(first)));
      for (const name of shuffled([...names, ...names, ...names], seed)) {
        const want = STATES[name]?.(first) ?? [];
        await kernel.apply(scope, diff(want, await kernel.look(scope, all)));
        expect({ [name]: lines(want, await kernel.look(scope, all)) }).toEqual({ [name]: [] });
        expect({ [name]: lines(neighbour, await kernel.look(other, neighbour)) }).toEqual({ [name]: [] });
      }
      expect(lines(shared, await kernel.look({}, shared))).toEqual([]);
    }));

  test.each(Object.entries(STATES))("applying what already holds succeeds and changes nothing: %s", (_, state) =>
    withPod(async ({ kernel, scope, first }) => {
      const want = [...shared, ...state(first)];
      for (const _again of [1, 2]) await kernel.apply(scope, add(want));
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
    }),
  );

  test("routes that lead to nobody come twice and go twice, beside routes into the same networks", () =>
    withPod(async ({ kernel, scope, first }) => {
      await kernel.apply(scope, add(routed(first, FULL)));
      for (const _again of [1, 2]) await kernel.apply({}, add(nobody));
      expect(lines(nobody, await kernel.look({}, nobody))).toEqual([]);
      expect((await allOwned(kernel)).map(identity)).toEqual(expect.arrayContaining(nobody.map(identity)));
      for (const _again of [1, 2]) await kernel.apply({}, remove(nobody));
      expect(await kernel.look({}, nobody)).toEqual([]);
      expect(lines(routed(first, FULL), await kernel.look(scope, routed(first, FULL)))).toEqual([]);
    }));

  test.each(Object.entries(STATES))("removing twice succeeds, and all can be added again at once: %s", (_, state) =>
    withPod(async ({ kernel, scope, first }) => {
      const want = state(first);
      await kernel.apply(scope, add(want));
      for (const _again of [1, 2]) await kernel.apply(scope, remove(want));
      const left = (await kernel.look(scope, want)).filter((fact) => !isLoopback(fact));
      expect(left.map(identity)).toEqual([]);
      await kernel.apply(scope, add(want));
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
    }),
  );

  test.each(MEDDLINGS)("what others change is seen and repaired: %s", (_, at, change, expected) =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      const want = [...shared, ...full(first)];
      await kernel.apply(scope, add(want));
      await meddle(at === "pod" ? scope.netns : undefined, change);
      const ops = diff(want, await kernel.look(scope, want));
      expect(ops.map(line)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
      await kernel.apply(scope, ops);
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
    }),
  );

  test("a namespace that is gone holds nothing, and what was in it can be removed", () =>
    withPod(async ({ kernel, scope, first, removeNamespace }) => {
      const want = full(first);
      const inode = kernel.namespaceInode(scope.netns);
      await kernel.apply(scope, add(want));
      await removeNamespace(scope.netns);
      expect(kernel.namespaceInode(scope.netns)).toBeUndefined();
      const seen = { ...scope, ...(inode === undefined ? {} : { netnsInode: inode }) };
      expect((await kernel.look(seen, want)).filter((fact) => fact.at === "pod")).toEqual([]);
      await kernel.apply(seen, remove(want));
      await kernel.settled();
      await eventually("nothing is left of it", async () => {
        expect((await kernel.look(seen, want)).map(identity)).toEqual([]);
        return true;
      });
      expect(await kindOf(kernel.apply(seen, add(want)))).toBe("namespace-gone");
    }));

  test("a path that leads to another namespace than recorded counts as gone", () =>
    withPod(async ({ kernel, scope, first }) => {
      const want = routed(first);
      await kernel.apply(scope, add(want));
      const other = { ...scope, netnsInode: 1 };
      expect((await kernel.look(other, want)).filter((fact) => fact.at === "pod")).toEqual([]);
      expect(await kindOf(kernel.apply(other, add(routed(pod(3)))))).toBe("namespace-gone");
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
    }));

  test.each(["host", "pod"] as const)("a name that a stranger's link holds is refused, and stays: %s", (at) =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      const want = routed(first);
      const name = at === "host" ? first.host : "eth0";
      await meddle(at === "host" ? undefined : scope.netns, { do: "add-link", link: name });
      expect(await kindOf(kernel.apply(scope, add(want)))).toBe("interface-exists");
      await kernel.apply(scope, remove(want));
      const stranger = { type: "link", at, name, kind: "foreign", up: true } as const;
      expect((await kernel.look(scope, [stranger])).map(identity)).toEqual([`link ${at} ${name}`]);
    }),
  );

  test("a route in the place of a stranger's is refused, and the stranger's stays", () =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      await meddle(undefined, { do: "add-link", link: "stranger0" });
      await meddle(undefined, { do: "add-route", link: "stranger0", to: prefix("10.1.0.1/32") });
      expect(await kindOf(kernel.apply(scope, add(routed(first))))).toBe("kernel");
      await kernel.apply(scope, remove(routed(first)));
      const theirs: Fact = { type: "route", at: "host", to: prefix("10.1.0.1/32"), link: "stranger0" };
      expect(lines([theirs], await kernel.look({}, [theirs]))).toEqual([]);
    }));

  test("owned shows all that is ours on the host, and no stranger's", () =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      await meddle(undefined, { do: "add-link", link: "stranger0" });
      await meddle(undefined, { do: "add-address", link: "stranger0", address: prefix("10.7.0.1/24") });
      await meddle(undefined, { do: "add-route", link: "stranger0", to: prefix("10.8.0.0/24") });
      await meddle(undefined, { do: "add-table", family: "inet", table: "stranger" });
      const want = [...shared, ...full(first)].filter((fact) => fact.at === "host" && fact.type !== "address");
      await kernel.apply(scope, add([...shared, ...full(first)]));
      const owned = await allOwned(kernel);
      const names = new Set(owned.map(identity));
      expect(want.map(identity).filter((name) => !names.has(name))).toEqual([]);
      expect(owned.filter((fact) => /stranger|10\.7\.|10\.8\./.test(identity(fact)))).toEqual([]);
      await kernel.apply(scope, remove(full(first)));
      await kernel.settled();
      const left = (await allOwned(kernel)).map(identity).filter((name) => name.includes(first.host));
      expect(left).toEqual([]);
    }));

  test("a link that another program made can be looked at and added to", () =>
    withPod(async ({ kernel, meddle }) => {
      await meddle(undefined, { do: "add-link", link: "other0" });
      const want: Fact[] = [
        { type: "link", at: "host", name: "other0", kind: "foreign", up: true, routeLocalnet: true },
        element("inet", "localnet", ["other0"]),
      ];
      await kernel.apply({}, diff(want, await kernel.look({}, want)));
      expect(lines(want, await kernel.look({}, want))).toEqual([]);
      await kernel.apply({}, remove(want));
      expect((await kernel.look({}, want)).map(identity)).toEqual(["link host other0"]);
    }));

  test("a sysctl is written and read, and removing it leaves it", () =>
    withPod(async ({ kernel, scope }) => {
      const want: Fact[] = [
        { type: "sysctl", at: "host", key: "net/ipv4/conf/lo/forwarding", value: "1" },
        { type: "sysctl", at: "pod", key: "net/ipv4/ip_default_ttl", value: "61" },
      ];
      await kernel.apply(scope, add(want));
      await kernel.apply(scope, remove(want));
      expect(await kernel.look(scope, want)).toEqual(want);
    }));

  test("a policy rule is added, seen and removed", () =>
    withPod(async ({ kernel, scope }) => {
      const want: Fact[] = [
        { type: "rule", at: "host", family: 4, priority: 5301, table: 5301, from: prefix("10.1.0.1/32") },
        { type: "rule", at: "host", family: 6, priority: 5302, table: 5302, iif: "lo" },
        {
          type: "rule",
          at: "host",
          family: 4,
          priority: 5301,
          table: 5301,
          mark: { value: 0x1000000, mask: 0xff000000 },
        },
      ];
      for (const _again of [1, 2]) await kernel.apply(scope, add(want));
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
      for (const _again of [1, 2]) await kernel.apply(scope, remove(want));
      expect(await kernel.look(scope, want)).toEqual([]);
    }));

  test("a tree and a mirror that others take are seen and come back", () =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      const want = [...routed(first), ...totals(first, 80_000_000), ...mirrors(first).slice(1)];
      await kernel.apply(scope, add(want));
      await meddle(undefined, { do: "delete-shaper", link: first.ifb });
      await meddle(undefined, { do: "delete-redirect", link: HOST });
      const ops = diff(want, await kernel.look(scope, want)).filter((op) => op.do !== "remove");
      expect(ops.map(({ do: verb, fact }) => `${verb} ${identity(fact)}`).sort()).toEqual([
        `add mirror host ${HOST} ingress 0`,
        `add redirect host ${HOST}`,
        `add shaper host ${first.ifb}`,
      ]);
      await kernel.apply(scope, ops);
      expect(lines(want, await kernel.look(scope, want))).toEqual([]);
    }));

  test("a tree takes the place of a shaper, and a shaper that of a tree", () =>
    withPod(async ({ kernel, scope, first }) => {
      const shaped = [...routed(first), ...bandwidth(first, 80_000_000)];
      const held = [...routed(first), ...totals(first, 80_000_000)];
      for (const want of [shaped, held, shaped, held]) {
        await kernel.apply(scope, diff(want, await kernel.look(scope, unique([...shaped, ...held]))));
        expect(lines(want, await kernel.look(scope, want))).toEqual([]);
      }
    }));

  test("changes of others are told with their place, our own are not", () =>
    withPod(async ({ kernel, scope, first, meddle }) => {
      const end = new AbortController();
      const told: (Change | undefined)[] = [];
      const watching = kernel.watch((change) => told.push(change), end.signal);
      await kernel.apply(scope, add(full(first)));
      await sleep(100);
      expect(told).toEqual([]);
      const inode = kernel.namespaceInode(scope.netns);
      await meddle(undefined, { do: "add-link", link: "stranger0" });
      const [link, theirs] = ["stranger0", prefix("10.7.0.1/24")];
      const cases: [string | undefined, Meddling, Change][] = [
        [undefined, { do: "add-address", link, address: theirs }, { where: "addresses" }],
        [undefined, { do: "add-route", link, to: prefix("0.0.0.0/0") }, { where: "addresses" }],
        [undefined, { do: "delete-address", link, address: theirs }, { where: "addresses" }],
        [undefined, { do: "set-link", link: first.host, mtu: 1300 }, { where: "host", link: first.host }],
        [undefined, { do: "delete-table", family: "inet", table: "selvedge" }, { where: "nftables" }],
        [
          scope.netns,
          { do: "delete-address", link: "eth0", address: prefix("10.1.0.1/32") },
          { where: "pod", netnsInode: inode ?? 0 },
        ],
      ];
      for (const [netns, change, expected] of cases) {
        told.length = 0;
        await meddle(netns, change);
        await eventually("it is told", async () => {
          expect(told).toContainEqual(expected);
          return true;
        });
      }
      end.abort();
      await watching;
    }));

  test("the tables have cases", () => {
    expect(Object.keys(STATES).length).toBe(12);
    expect(MEDDLINGS.length).toBe(17);
  });
}

const HOST = pod(1).host;

/** What somebody does and where, and what the repair has to say among other things. */
const MEDDLINGS: readonly [what: string, at: "host" | "pod", change: Meddling, expected: string][] = [
  ["host's end down", "host", { do: "set-link", link: HOST, up: false }, `~ link ${HOST}`],
  ["host's end deleted", "host", { do: "delete-link", link: HOST }, `+ link ${HOST}`],
  ["host's MTU", "host", { do: "set-link", link: HOST, mtu: 1300 }, `~ link ${HOST}`],
  ["pod's end down", "pod", { do: "set-link", link: "eth0", up: false }, "~ link eth0 [pod]"],
  ["pod's MAC", "pod", { do: "set-link", link: "eth0", mac: mac("02:00:00:00:99:99") }, "~ link eth0 [pod]"],
  ["IPv4 address", "pod", { do: "delete-address", link: "eth0", address: prefix("10.1.0.1/32") }, "+ addr 10.1.0.1/32"],
  ["IPv6 address", "pod", { do: "delete-address", link: "eth0", address: prefix("fd00::1/128") }, "+ addr fd00::1/128"],
  [
    "default route",
    "pod",
    { do: "delete-route", link: "eth0", to: prefix("0.0.0.0/0") },
    "+ route 0.0.0.0/0 via 169.254.1.1",
  ],
  ["host's route", "host", { do: "delete-route", link: HOST, to: prefix("10.1.0.1/32") }, "+ route 10.1.0.1/32"],
  ["host's IPv6 route", "host", { do: "delete-route", link: HOST, to: prefix("fd00::1/128") }, "+ route fd00::1/128"],
  [
    "neighbour",
    "pod",
    { do: "delete-neighbour", link: "eth0", address: address("169.254.1.1") },
    "+ neigh 169.254.1.1",
  ],
  ["shaper", "host", { do: "delete-shaper", link: HOST }, `+ qdisc tbf dev ${HOST}`],
  ["redirect", "host", { do: "delete-redirect", link: HOST }, `+ filter ingress dev ${HOST}`],
  [
    "element",
    "host",
    { do: "delete-element", element: element("inet", "masq4", ["10.1.0.1"]) },
    "+ element inet selvedge masq4 { 10.1.0.1 }",
  ],
  ["chain", "host", { do: "flush-chain", family: "inet", table: "selvedge", chain: "guard" }, "~ table inet selvedge"],
  ["table", "host", { do: "delete-table", family: "bridge", table: "selvedge" }, "+ table bridge selvedge"],
  ["ruleset", "host", { do: "flush-ruleset" }, "+ element inet selvedge guarded"],
];

const lines = (want: readonly Fact[], have: readonly Fact[]): string[] =>
  diff(want, have)
    .filter((op) => !(op.do === "remove" && isLoopback(op.fact)))
    .map(line);

/** `lo` is there as long as its namespace. */
const isLoopback = (fact: Fact): boolean => fact.type === "link" && fact.kind === "loopback";

/** One fact for each identity: what `look` is asked for. */
const unique = (facts: readonly Fact[]): Fact[] => [...new Map(facts.map((fact) => [identity(fact), fact])).values()];

async function kindOf(work: Promise<unknown>): Promise<FailureKind | "done"> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return "done";
  if (!isFailure(error)) throw error;
  return (error as SelvedgeError).failure.kind;
}

/** The same seed gives the same order (Park and Miller's generator). */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state;
  };
  return items
    .map((item) => [next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
