import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import { tables } from "#lib/datapath/tables.ts";
import { isFailure } from "#lib/errors.ts";
import { type Nftables, openNftables } from "#lib/kernel/nft/nftables.ts";
import { UNKNOWN_TEXT } from "#lib/kernel/nft/tables.ts";
import { diff, type Op } from "#lib/state/diff.ts";
import { type ElementFact, type Fact, identity, type TableFact } from "#lib/state/fact.ts";
import { eventually } from "../../conformance/program.ts";
import { allElements } from "../support/owned.ts";
import { needing } from "../support/requirement.ts";

const test = needing("root", { program: "nft" });

const nft = (...args: string[]): string => execFileSync("nft", args, { encoding: "utf8" });
const add = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "add", fact }));
const remove = (facts: readonly Fact[]): Op[] => facts.map((fact) => ({ do: "remove", fact }));

const element = (set: string, key: readonly string[], value?: readonly string[]): ElementFact => ({
  type: "element",
  at: "host",
  family: "inet",
  table: "selvedge",
  set,
  key,
  ...(value === undefined ? {} : { value }),
});

const skeletons = tables({ noMasquerade: [] });
const inet = skeletons.find((table) => table.family === "inet") as TableFact;
const pod: ElementFact[] = [
  element("guarded", ["sv0123456789a"]),
  element("allowed4", ["sv0123456789a", "02:00:00:00:00:05", "10.1.0.5"]),
  element("allowed6", ["sv0123456789a", "02:00:00:00:00:05", "fd00::5"]),
  element("masq4", ["10.1.0.5"]),
  element("masq6", ["fd00::5"]),
  element("ports4", ["tcp", "8080"], ["10.1.0.5", "80"]),
  element("ports6_ip", ["2001:db8::1", "udp", "53"], ["fd00::5", "5353"]),
  { ...element("allowed_mac", ["sv0123456789a", "02:00:00:00:00:05"]), family: "bridge" },
];

/** With our tables in place and nothing in them; afterwards there are none. */
async function opened(work: (kernel: Nftables) => Promise<void> | void, destroys?: boolean): Promise<void> {
  nft("flush", "ruleset");
  using kernel = openNftables(destroys === undefined ? {} : { destroys });
  kernel.apply(add(skeletons));
  await work(kernel);
  nft("flush", "ruleset");
}

test("the table has elements of a key of one part, of several, and of maps", () => {
  expect(pod.length).toBe(8);
});

for (const destroys of [true, false]) {
  const how = destroys ? "with DESTROYSETELEM" : "as before 6.3";
  test(`elements are added, seen by nft, looked up and removed, each twice, ${how}`, () =>
    opened((kernel) => {
      for (const _ of [1, 2]) {
        kernel.apply(add(pod));
        expect(kernel.look(pod)).toEqual(pod);
        expect(diff(pod, kernel.look(pod))).toEqual([]);
      }
      expect(nft("list", "map", "inet", "selvedge", "ports4")).toContain("tcp . 8080 : 10.1.0.5 . 80");
      expect(nft("list", "map", "inet", "selvedge", "ports6_ip")).toContain("2001:db8::1 . udp . 53 : fd00::5 . 5353");
      expect(nft("list", "set", "inet", "selvedge", "allowed4")).toContain(
        '"sv0123456789a" . 02:00:00:00:00:05 . 10.1.0.5',
      );
      expect(nft("list", "set", "inet", "selvedge", "guarded")).toContain('"sv0123456789a"');
      for (const _ of [1, 2]) {
        kernel.apply(remove(pod));
        expect(kernel.look(pod)).toEqual([]);
      }
      expect(nft("list", "ruleset")).not.toContain("10.1.0.5");
    }, destroys));

  test(`another value under the same key takes its place, ${how}`, () =>
    opened((kernel) => {
      kernel.apply(add([element("ports4", ["tcp", "80"], ["10.1.0.5", "80"])]));
      kernel.apply(add([element("ports4", ["tcp", "80"], ["10.1.0.6", "81"])]));
      expect(kernel.look([element("ports4", ["tcp", "80"])])).toEqual([
        element("ports4", ["tcp", "80"], ["10.1.0.6", "81"]),
      ]);
    }, destroys));

  test(`what is gone does not keep the rest from being removed, ${how}`, () =>
    opened((kernel) => {
      kernel.apply(add(pod));
      nft("delete", "element", "inet", "selvedge", "masq4", "{ 10.1.0.5 }");
      nft("delete", "table", "bridge", "selvedge");
      kernel.apply(remove(pod));
      expect(kernel.look(pod)).toEqual([]);
    }, destroys));
}

test("adding to a set that is not there says which, and adds nothing", () =>
  opened((kernel) => {
    nft("delete", "table", "bridge", "selvedge");
    let thrown: unknown;
    try {
      kernel.apply(add(pod));
    } catch (error) {
      thrown = error;
    }
    expect(isFailure(thrown, "kernel") && thrown.failure.errno).toBe(2);
    expect(String(thrown)).toContain("add elements bridge selvedge allowed_mac");
    expect(kernel.look(pod)).toEqual([]);
  }));

test("thousands of elements come and go, and owned shows each", () =>
  opened(async (kernel) => {
    const many = Array.from({ length: 5000 }, (_, i) =>
      element("ports4", ["tcp", String(i + 1)], [`10.2.${i >> 8}.${i & 255}`, "80"]),
    );
    kernel.apply(add(many));
    const listed = (await allElements(kernel)).map(identity);
    expect(listed).toHaveLength(5000);
    expect(new Set(listed)).toEqual(new Set(many.map(identity)));
    expect(kernel.owned()).toEqual(skeletons);
    expect(kernel.look(many)).toEqual(many);
    kernel.apply(remove(many));
    expect(await allElements(kernel)).toEqual([]);
  }));

const meddling: [what: string, command: string][] = [
  ["a rule is added", "add rule inet selvedge guard accept"],
  ["a chain is flushed", "flush chain inet selvedge guard"],
  ["a policy is changed", "chain inet selvedge prerouting { policy drop; }"],
  ["a chain is added", "add chain inet selvedge extra"],
  ["a set is added", "add set inet selvedge extra { type ipv4_addr; }"],
  ["the table sleeps", "add table inet selvedge { flags dormant; }"],
];

test.each(meddling)("%s: seen, and repaired with the elements kept", (_, command) =>
  opened((kernel) => {
    kernel.apply(add(pod));
    expect(kernel.look([inet])).toEqual([inet]);
    nft(command);
    expect(kernel.look([inet])).toEqual([{ ...inet, text: UNKNOWN_TEXT }]);
    kernel.apply([{ do: "change", fact: inet, was: { ...inet, text: UNKNOWN_TEXT } }]);
    expect(kernel.look([inet])).toEqual([inet]);
    expect(kernel.look(pod)).toEqual(pod);
  }),
);

/** Chains, sets and maps that have names. */
const members = (): string[] =>
  Array.from(
    nft("list", "table", "inet", "selvedge").matchAll(/^\t((?:chain|set|map) \S+)/gm),
    ([, name]) => name ?? "",
  ).sort();
/** Of the table: another one has another. */
const handle = (): string | undefined =>
  /table inet selvedge \{ # handle (\d+)/.exec(nft("-a", "list", "ruleset"))?.[1];

test("what another text made goes, also chains that call each other and one on a hook, and the table with its elements stays", () =>
  opened((kernel) => {
    const without = members();
    expect(without).toEqual(expect.arrayContaining(["chain raw_prerouting", "map ports4", "set guarded"]));
    const [marking] = tables({ noMasquerade: [], isMarking: true });
    if (marking === undefined) throw new Error("no table");
    kernel.apply(add(pod));
    kernel.apply([{ do: "change", fact: marking, was: inet }]);
    const before = handle();
    expect(before).toMatch(/^\d+$/);
    nft("add chain inet selvedge extra { type filter hook forward priority 5; }");
    nft("add set inet selvedge seen { type ipv4_addr; flags dynamic, timeout; timeout 10m; size 16; }");
    nft("add map inet selvedge led { type mark : verdict; elements = { 1 : jump remark }; }");
    nft("add rule inet selvedge extra update @seen { ip saddr counter } meta mark vmap @led");
    nft("add rule inet selvedge extra meta mark vmap { 1 : jump remark, 2 : jump dscp0 }");
    expect(members()).toEqual(
      expect.arrayContaining(["chain dscp63", "chain extra", "chain remark", "map led", "set seen"]),
    );
    kernel.apply([{ do: "change", fact: inet, was: marking }]);
    expect(members()).toEqual(without);
    expect(handle()).toBe(before);
    expect(kernel.look(pod)).toEqual(pod);
    expect(kernel.look([inet])).toEqual([inet]);
  }));

test("a flushed ruleset is seen", () =>
  opened(async (kernel) => {
    nft("flush", "ruleset");
    expect(kernel.look([...skeletons, ...pod])).toEqual([]);
    expect(kernel.owned()).toEqual([]);
    expect(await allElements(kernel)).toEqual([]);
  }));

test("a set of our name with another type is replaced, and the other elements stay", () =>
  opened((kernel) => {
    kernel.apply(add(pod));
    nft("delete table bridge selvedge; add table bridge selvedge; add set bridge selvedge guarded { type mark; }");
    kernel.apply(add(skeletons));
    kernel.apply(add(pod));
    expect(diff([...skeletons, ...pod], kernel.look([...skeletons, ...pod]))).toEqual([]);
  }));

test("what others do to their own tables is not ours to see", () =>
  opened(async (kernel) => {
    nft("add table inet stranger");
    nft("add chain inet stranger c { type filter hook input priority 0; }");
    expect(kernel.look([inet])).toEqual([inet]);
    expect(kernel.owned()).toEqual(skeletons);
    expect(await allElements(kernel)).toEqual([]);
    kernel.apply(remove(skeletons));
    expect(nft("list", "tables")).toBe("table inet stranger\n");
  }));

test("packets that are counted change nothing", () =>
  opened((kernel) => {
    kernel.apply(add([element("localnet", ["lo"])]));
    execFileSync("bash", ["-c", "echo > /dev/udp/127.0.0.1/9"]);
    expect(nft("list", "chain", "inet", "selvedge", "raw_prerouting")).toMatch(/counter packets [1-9]/);
    // Somebody's transaction makes the next look read everything again.
    nft("add table inet stranger");
    expect(kernel.look([inet])).toEqual([inet]);
  }));

test("a fresh process does not know what it finds", () =>
  opened(() => {
    using other = openNftables();
    expect(other.look([inet])).toEqual([{ ...inet, text: UNKNOWN_TEXT }]);
  }));

test("what nft refuses is told in its words", () =>
  opened((kernel) => {
    expect(() => kernel.apply(add([{ ...inet, text: "add rule inet selvedge nowhere accept" }]))).toThrow(
      /^nft: .*No such file or directory/,
    );
    expect(kernel.look([inet])).toEqual([inet]);
  }));

test("changes of others to our tables are told, ours and those to other tables are not", () =>
  opened(async (kernel) => {
    const end = new AbortController();
    let told = 0;
    const watching = kernel.watch(() => told++, end.signal);
    kernel.apply(add(pod));
    kernel.apply(add(skeletons));
    kernel.apply(remove(pod));
    nft("add table inet stranger");
    await sleep(50);
    expect(told).toBe(0);
    nft("flush chain inet selvedge guard");
    await eventually("it is told", async () => told > 0 || undefined);
    expect(told).toBe(1);
    nft("flush ruleset");
    await eventually("it is told", async () => told > 1 || undefined);
    expect(told).toBe(2);
    end.abort();
    await watching;
  }));

test("cost of one attachment's elements beside a thousand others (printed)", () =>
  opened((kernel) => {
    const others = Array.from({ length: 1000 }, (_, i) => element("masq4", [`10.3.${i >> 8}.${i & 255}`]));
    kernel.apply(add(others));
    const took = { add: 0, look: 0, table: 0, remove: 0 };
    const rounds = 200;
    const timed = (what: keyof typeof took, work: () => void): void => {
      const start = performance.now();
      work();
      took[what] += ((performance.now() - start) * 1000) / rounds;
    };
    for (let i = 0; i < rounds; i++) {
      timed("add", () => kernel.apply(add(pod)));
      timed("look", () => void kernel.look(pod));
      timed("table", () => void kernel.look(skeletons));
      timed("remove", () => kernel.apply(remove(pod)));
    }
    const start = performance.now();
    kernel.apply(add(skeletons));
    const text = performance.now() - start;
    const µs = Object.entries(took).map(([what, mean]) => `${what} ${mean.toFixed(0)} µs`);
    console.log(`8 elements beside 1,000: ${µs.join(", ")}; both tables' texts ${text.toFixed(1)} ms`);
    expect(kernel.look(others).length).toBe(1000);
  }));
