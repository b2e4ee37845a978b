import { expect, test } from "@jest/globals";
import { address, mac, prefix } from "#lib/address.ts";
import { isFailure } from "#lib/errors.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact, TableFact } from "#lib/state/fact.ts";
import { fakeKernel } from "./fake.ts";

const table = (family: TableFact["family"]): TableFact => ({
  type: "table",
  at: "host",
  family,
  name: "selvedge",
  text: `add table ${family} selvedge`,
});

const add = (...facts: Fact[]): Op[] => facts.map((fact) => ({ do: "add", fact }));
const link: Fact = { type: "link", at: "host", name: "sb1", kind: "ifb", up: true, alias: "selvedge test" };
const down: Fact = { ...link, up: false };

/** Linux's words for what cannot be. */
const refusals: [what: string, ops: Op[], errno: number][] = [
  ["address without link", add({ type: "address", at: "host", link: "no", address: prefix("10.0.0.1/24") }), 19],
  [
    "neighbour without link",
    add({ type: "neighbour", at: "host", link: "no", address: address("10.0.0.1"), mac: mac("02:00:00:00:00:01") }),
    19,
  ],
  ["route without link", add({ type: "route", at: "host", link: "no", to: prefix("10.0.0.0/24") }), 19],
  [
    "route by a link that is down",
    add(down, { type: "route", at: "host", link: "sb1", to: prefix("10.0.0.0/24") }),
    100,
  ],
  [
    "route by an unreachable gateway",
    add(link, { type: "route", at: "host", link: "sb1", to: prefix("10.0.0.0/24"), via: address("10.9.0.1") }),
    101,
  ],
  ["route with host bits", add(link, { type: "route", at: "host", link: "sb1", to: prefix("10.0.0.1/24") }), 22],
  [
    "route from a stranger's address",
    add(link, { type: "route", at: "host", link: "sb1", to: prefix("10.0.0.0/24"), source: address("10.3.0.1") }),
    22,
  ],
  [
    "shaper without link",
    add({ type: "shaper", at: "host", link: "no", rateBits: 8000, burstBytes: 2000, latencyUs: 1 }),
    19,
  ],
  ["redirect to no link", add(link, { type: "redirect", at: "host", link: "sb1", to: "no" }), 19],
  [
    "element without table",
    add({ type: "element", at: "host", family: "inet", table: "selvedge", set: "masq4", key: ["10.0.0.1"] }),
    2,
  ],
  [
    "element without set",
    add(table("inet"), {
      type: "element",
      at: "host",
      family: "inet",
      table: "selvedge",
      set: "no",
      key: ["10.0.0.1"],
    }),
    2,
  ],
  ["port of no bridge", add({ ...link, master: "no" }), 19],
  ["port of what is no bridge", add({ ...link, master: "lo" }), 95],
  ["hairpin without bridge", add({ ...link, hairpin: true }), 95],
  ["sysctl of no link", add({ type: "sysctl", at: "host", key: "net/ipv4/conf/no/forwarding", value: "1" }), 2],
  ["veth without its other end", add({ ...link, kind: "veth" }), 22],
];

test.each(refusals)("refuses as Linux does: %s", async (_, ops, errno) => {
  const failure = await fakeKernel()
    .apply({}, ops)
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(isFailure(failure, "kernel") && failure.failure.errno).toBe(errno);
});

test("the table has refusals", () => expect(refusals.length).toBe(16));

test("the nth operation fails once, and what came before it stays", async () => {
  const kernel = fakeKernel();
  kernel.failAt(2, "ENOMEM");
  const sysctl: Fact = { type: "sysctl", at: "host", key: "net/ipv4/ip_forward", value: "1" };
  await expect(kernel.apply({}, add(link, sysctl))).rejects.toThrow("add sysctl: ENOMEM");
  expect((await kernel.look({}, [link, sysctl])).map((fact) => fact.type)).toEqual(["link", "sysctl"]);
  await kernel.apply({}, add(link, sysctl));
  expect(await kernel.look({}, [sysctl])).toEqual([sysctl]);
});

test("connections are forgotten by address and by port", async () => {
  const kernel = fakeKernel();
  kernel.connections.push(
    { protocol: "tcp", addresses: ["10.1.0.1", "1.1.1.1"], port: 443 },
    { protocol: "udp", addresses: ["9.9.9.9", "192.0.2.1", "10.1.0.2"], port: 8080 },
    { protocol: "tcp", addresses: ["9.9.9.9", "192.0.2.1"], port: 8080 },
  );
  expect(await kernel.flushConntrack(["10.1.0.1", "10.1.0.7"])).toBe(1);
  expect(await kernel.flushConntrackPort("udp", 8080)).toBe(1);
  expect(kernel.connections).toEqual([{ protocol: "tcp", addresses: ["9.9.9.9", "192.0.2.1"], port: 8080 }]);
});

test("lost events are told as such", async () => {
  const kernel = fakeKernel();
  const end = new AbortController();
  const told: unknown[] = [];
  const watching = kernel.watch((change) => told.push(change), end.signal);
  kernel.loseEvents();
  end.abort();
  await watching;
  expect(told).toEqual([undefined]);
});

test("a link that is in the flowtable leaves it when it goes", async () => {
  const kernel = fakeKernel();
  const offload: Fact = { type: "offload", at: "host", link: "sb1" };
  await expect(kernel.apply({}, add(offload))).rejects.toThrow("ENODEV");
  await kernel.apply({}, add(link, offload));
  expect(await kernel.look({}, [offload])).toEqual([offload]);
  expect((await kernel.owned()).filter(({ type }) => type === "offload")).toEqual([offload]);
  await kernel.apply({}, [{ do: "remove", fact: link }]);
  await kernel.apply({}, add(link));
  expect(await kernel.look({}, [offload])).toEqual([]);
});
