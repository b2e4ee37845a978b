/**
 * What every implementation of the port has to do with links that have no other end, with VLANs of bridge ports and
 * with forwarding entries. The groups that this machine's kernel lacks run in the guest of test/vm.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, type test as jestTest } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import type { Change } from "#lib/kernel/kernel.ts";
import type { Meddling } from "#lib/kernel/meddling.ts";
import { diff } from "#lib/state/diff.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { eventually } from "../../conformance/program.ts";
import type { KernelPiece } from "../support/kernel-piece.ts";
import { allOwned } from "../support/owned.ts";
import type { Rig } from "./contract.ts";
import { carried, FILTERING, GROUPS, type Group, PARENTS } from "./contract-single-facts.ts";
import { add, remove } from "./ops.ts";

export interface SingleContract {
  readonly open: () => Promise<Rig>;
  /** The test function for what needs these pieces of the kernel. */
  readonly needing: (...pieces: readonly KernelPiece[]) => typeof jestTest | typeof jestTest.skip;
}

/** Every state after every other one: some hundred changes. */
const WALK_MS = 120_000;
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
        const owned = new Set((await allOwned(kernel)).map(identity));
        // Of a bridge that gives its ports a VLAN nobody can tell which are ours.
        const tells = want.includes(FILTERING);
        const onHost = want.filter((fact) => fact.at === "host" && (tells || fact.type !== "port-vlan")).map(identity);
        expect(onHost.filter((id) => !owned.has(id))).toEqual([]);
        for (const _again of [1, 2]) await kernel.apply(scope, remove(want));
        await kernel.settled();
        expect((await kernel.look(scope, want)).map(identity)).toEqual([]);
        expect((await allOwned(kernel)).map(identity)).toEqual([]);
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
          if (!UNHEARD.has(change.do) || at === "pod")
            await eventually("it is told", async () => told.some((heard) => heard?.where === at) || undefined);
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
    expect(Object.keys(GROUPS)).toHaveLength(10);
    for (const { states, meddlings } of Object.values<Group>(GROUPS)) {
      expect(Object.keys(states).length).toBeGreaterThan(2);
      expect(meddlings.length).toBeGreaterThan(1);
      for (const [state] of meddlings) expect(states[state]).toBeDefined();
    }
  });
}

/** A VLAN too many on a port is found by the next look; nobody asked for it, so its notification names nothing known. */
const UNHEARD: ReadonlySet<Meddling["do"]> = new Set(["add-port-vlan"]);

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
