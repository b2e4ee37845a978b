import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import { claimsOf, endpoints } from "./endpoints.ts";
import type { EndpointRecord } from "./records.ts";

const M1 = mac("0e:00:00:00:00:01");
const M2 = mac("0e:00:00:00:00:02");
const of = (node: string, sinceMs: number, more: Partial<EndpointRecord> = {}): EndpointRecord => ({
  network: "lan",
  node,
  uid: `uid-${node}`,
  mac: M1,
  addresses: [address("10.9.0.5")],
  sinceMs,
  ...more,
});
const always = () => true;

test("of two that have one address the newer counts, and each hears of the other", () => {
  const all = endpoints();
  expect(all.put("k1", of("a", 1))).toEqual(new Set(["k1"]));
  expect(all.put("k2", of("b", 2))).toEqual(new Set(["k1", "k2"]));
  for (const claim of claimsOf(of("a", 1))) expect(all.holder(claim, always)).toBe("k2");
  expect(all.holder({ network: "lan", address: M1 }, ({ node }) => node !== "b")).toBe("k1");
  expect(all.remove("k2")).toEqual(new Set(["k1", "k2"]));
  expect(all.holder({ network: "lan", address: M1 }, always)).toBe("k1");
});

test("other networks, other addresses and other nodes are apart", () => {
  const all = endpoints();
  all.put("k1", of("a", 1));
  expect(all.put("k2", of("a", 2, { network: "dmz" }))).toEqual(new Set(["k2"]));
  expect(all.put("k3", of("b", 3, { mac: M2, addresses: [address("10.9.0.6")] }))).toEqual(new Set(["k3"]));
  expect([...all.ofNode("a")]).toEqual(["k1", "k2"]);
  expect([...all.nodes()]).toEqual(["a", "b"]);
  expect(all.holder({ network: "lan", address: "10.9.0.7" }, always)).toBeUndefined();
});

test("a record that changes leaves nothing of what it was", () => {
  const all = endpoints();
  all.put("k1", of("a", 1));
  all.put("k1", of("a", 1, { addresses: [address("10.9.0.8")] }));
  expect([...all.of({ network: "lan", address: "10.9.0.5" })]).toEqual([]);
  expect([...all.of({ network: "lan", address: "10.9.0.8" })]).toEqual(["k1"]);
  all.remove("k1");
  expect([...all.keys(), ...all.nodes()]).toEqual([]);
});

test("of two that began at once every node takes the same", () => {
  const [one, other] = [endpoints(), endpoints()];
  for (const [all, keys] of [
    [one, ["k1", "k2"]],
    [other, ["k2", "k1"]],
  ] as const)
    for (const key of keys) all.put(key, of(key, 1));
  const claim = { network: "lan", address: M1 };
  expect(one.holder(claim, always)).toBe(other.holder(claim, always));
});
