import { expect, test } from "@jest/globals";
import type { ResourceKindName } from "#lib/config/resource-kinds.ts";
import type { Core } from "../core.ts";
import { usesHere } from "./uses.ts";

/** A pod on a tenant's network that its configuration names, and one with an address of a pool. */
const TABLE = [
  { ifname: "eth0", args: "", config: '{"cniVersion":"1.1.0","name":"n","type":"selvedge","network":"inner"}' },
  { ifname: "eth0", args: "", config: "{}", planes: [{ name: "control" }], tenantFacts: { blue: [] } },
];
const CORE = {
  table: TABLE,
  ipam: {
    reservations: (pool: string) => (pool === "kept" ? [{}] : []),
    leases: (pool: string) => (pool === "leased" ? [{}] : []),
    shares: (pool: string) => (pool === "shared" ? [{}] : []),
  },
} as unknown as Core;

const CASES: readonly (readonly [kind: ResourceKindName, name: string, isUsed: boolean])[] = [
  ["Tenant", "blue", true],
  ["Tenant", "red", false],
  ["Network", "inner", true],
  ["Network", "control", true],
  ["Network", "blue", false],
  ["AddressPool", "kept", true],
  ["AddressPool", "leased", true],
  ["AddressPool", "shared", true],
  ["AddressPool", "idle", false],
  ["Router", "kept", false],
];
test.each(CASES)("%s %s is used here: %s", (kind, name, isUsed) =>
  expect(usesHere(CORE)({ kind, name, spec: {} })).toBe(isUsed),
);

test("there are cases", () => expect(CASES.length).toBeGreaterThan(5));
