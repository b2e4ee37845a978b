import { expect, test } from "@jest/globals";
import { element } from "./element.ts";
import { SETS, type SetShape, setShape } from "./sets.ts";

test("names are unique within a table", () => {
  const names = SETS.map((s) => `${s.family} ${s.table} ${s.name}`);
  expect(names.length).toBeGreaterThan(10);
  expect(new Set(names).size).toBe(names.length);
});

test("only host ports, marks, addresses to leave by, probe addresses and what policies ask by class are maps", () => {
  const all: readonly SetShape[] = SETS;
  expect(all.filter((s) => s.value !== undefined).map((s) => s.name)).toEqual([
    "ports4",
    "ports6",
    "ports4_ip",
    "ports6_ip",
    "code_point",
    "prio_class",
    "egress4",
    "egress6",
    "egress_by4",
    "egress_by6",
    "probe4",
    "probe6",
    "policy_pods4",
    "policy_pods6",
    "policy_in4",
    "policy_in6",
    "policy_out4",
    "policy_out6",
    "code_point",
    "prio_class",
  ]);
});

test("a shape is found by family, table and name", () => {
  expect(setShape("bridge", "selvedge", "allowed4")?.key).toEqual(["ifname", "ether_addr", "ipv4_addr"]);
  expect(setShape("bridge", "selvedge", "masq4")).toBeUndefined();
  expect(setShape("inet", "other", "masq4")).toBeUndefined();
});

test("an element has data only when it is given", () => {
  expect(element("inet", "masq4", ["10.1.0.5"])).toEqual({
    type: "element",
    at: "host",
    family: "inet",
    table: "selvedge",
    set: "masq4",
    key: ["10.1.0.5"],
  });
  expect(element("inet", "ports4", ["tcp", "80"], ["10.1.0.5", "80"]).value).toEqual(["10.1.0.5", "80"]);
});
