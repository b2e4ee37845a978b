import { expect, test } from "@jest/globals";
import { besideFile, type Resource } from "#lib/config/resources.ts";
import { decide } from "./decide.ts";

const FILE = "pools: [{ name: default, ranges: [[{ subnet: 10.1.0.0/16 }]] }]\nkubernetes: { resources: true }";
const beside = besideFile(FILE, () => undefined);
const pool = (name: string, subnet: string): Resource => ({
  kind: "AddressPool",
  name,
  spec: { ranges: [[{ subnet }]] },
});
const network = (name: string, spec: object = {}): Resource => ({ kind: "Network", name, spec });
const router = (name: string, pools: readonly string[]): Resource => ({
  kind: "Router",
  name,
  spec: { url: "https://192.0.2.1", key: { secret: { name: "edge", key: "api" } }, pools },
});
const tenant = (name: string, spec: object = {}): Resource => ({ kind: "Tenant", name, spec });

/** What is taken, with `-` before what is leaving and the MTU behind what has one, and why what was told is refused. */
function decided(before: readonly Resource[], told: readonly Resource[], used: readonly string[] = []) {
  const { taken, refused, config } = decide(before, told, beside, ({ name }) => used.includes(name));
  expect([...config.networks.keys()]).toEqual(taken.filter(({ kind }) => kind === "Network").map(({ name }) => name));
  return {
    taken: taken.map(({ kind, name, spec, isLeaving }) => {
      const { mtu = "" } = spec as { readonly mtu?: number };
      return `${isLeaving ? "-" : ""}${kind} ${name} ${mtu}`.trim();
    }),
    refused: [...refused].map(([{ name }, { message }]) => `${name}: ${message}`),
  };
}

const A = pool("a", "10.2.0.0/16");
const T = tenant("t");
const OF_T = network("n", { tenant: "t", pool: "a" });
const B = pool("b", "10.3.0.0/16");
const CASES: readonly (readonly [
  what: string,
  before: readonly Resource[],
  told: readonly Resource[],
  used: readonly string[],
  taken: readonly string[],
  refused: readonly string[],
])[] = [
  ["what comes is taken", [], [A, network("n", { pool: "a" })], [], ["AddressPool a", "Network n"], []],
  [
    "what changes is taken, used or not",
    [network("n", { mtu: 1_300 })],
    [network("n", { mtu: 1_400 })],
    ["n"],
    ["Network n 1400"],
    [],
  ],
  ["what goes and is not used is gone", [A, network("n")], [], [], [], []],
  ["what goes and is used is leaving", [A, network("n")], [], ["n"], ["-Network n"], []],
  ["and goes when it is used no more", [{ ...A, isLeaving: true }], [], [], [], []],
  [
    "what comes again while it is leaving is taken as it was",
    [{ ...A, isLeaving: true }],
    [A],
    ["a"],
    ["AddressPool a"],
    [],
  ],
  [
    "what is made anew waits for those that use the earlier one",
    [A],
    [pool("a", "10.3.0.0/16")],
    ["a"],
    ["-AddressPool a"],
    [],
  ],
  ["and is taken when nobody does", [A], [pool("a", "10.3.0.0/16")], [], ["AddressPool a"], []],
  [
    "of a change that is wrong the earlier one stays",
    [network("n", { mtu: 1_300 })],
    [network("n", { mtu: 13 })],
    [],
    ["Network n 1300"],
    ["n: spec.mtu: 13 is not a whole number from 576 to 65535"],
  ],
  [
    "what leaves is there for those that draw from it, and is missed by those that judge",
    [A, network("n", { pool: "a" })],
    [network("n", { pool: "a" })],
    ["a"],
    ["-AddressPool a", "Network n"],
    ['n: spec.pool: there is no pool "a"; known: default'],
  ],
  [
    "of a network that is used all pools stay, those without a pod, too",
    [A, B, network("n", { pools: ["a", "b"] })],
    [A, network("n", { pools: ["a", "b"] })],
    ["n", "a"],
    ["AddressPool a", "-AddressPool b", "Network n"],
    ['n: spec.pools[1]: there is no pool "b"; did you mean "a"?'],
  ],
  [
    "and when it is deleted with them it leaves with all of them, its planes and their pools",
    [A, B, network("m", { pool: "b" }), network("n", { pool: "a", planes: [{ network: "m", interface: "net1" }] })],
    [],
    ["n"],
    ["-AddressPool a", "-AddressPool b", "-Network m", "-Network n"],
    [],
  ],
  [
    "a tenant stays with the networks of it that are used, and is missed by those that judge",
    [T, A, OF_T],
    [A, OF_T],
    ["n"],
    ["-Tenant t", "AddressPool a", "Network n"],
    ['n: spec.tenant: there is no tenant "t"; known: none'],
  ],
  ["and is gone when nobody is on them", [{ ...T, isLeaving: true }, A, OF_T], [A], [], ["AddressPool a"], []],
  [
    "a change of a tenant counts, used or not",
    [T, A, OF_T],
    [tenant("t", { egress: false }), A, OF_T],
    ["n"],
    ["AddressPool a", "Network n", "Tenant t"],
    [],
  ],
  [
    "of a tenant that has been made wrong the earlier one stays, and its networks are none the worse",
    [T, A, OF_T],
    [tenant("t", { egress: 7 }), A, OF_T],
    ["n"],
    ["Tenant t", "AddressPool a", "Network n"],
    ["t: spec.egress: 7 is not true or false"],
  ],
  [
    "of what cannot be together that stays which was there before, though it is younger",
    [T, A, OF_T],
    [tenant("t", { services: [{ name: "s", address: "10.2.0.9", port: 1, to: "192.0.2.1:1" }] }), A, OF_T],
    [],
    ["Tenant t", "AddressPool a", "Network n"],
    [
      "t: spec.services[0].address: 10.2.0.9 lies in 10.2.0.0/16, a pool of the tenant's own; use an address outside of its pools",
    ],
  ],
  [
    "a pool that a router names stays until that names it no more, and is missed by those that judge",
    [A, router("r", ["a"])],
    [router("r", ["a"])],
    [],
    ["-AddressPool a", "Router r"],
    ['r: spec.pools[0]: there is no pool "a"; known: default'],
  ],
  ["and is gone after that", [{ ...A, isLeaving: true }, router("r", [])], [router("r", [])], [], ["Router r"], []],
  ["a router that is deleted is gone at once", [router("a", ["default"])], [], [], [], []],
  [
    "of a router that has been made wrong the earlier one stays",
    [router("r", [])],
    [router("r", ["lost"])],
    [],
    ["Router r"],
    ['r: spec.pools[0]: there is no pool "lost"; known: default'],
  ],
  ["what is leaving keeps its addresses from others", [A], [pool("b", "10.2.7.0/24")], ["a"], ["-AddressPool a"], []],
];
test.each(CASES)("%s", (_what, before, told, used, taken, refused) =>
  expect(decided(before, told, used)).toEqual({ taken, refused }),
);

test("there are cases", () => expect(CASES.length).toBeGreaterThan(5));
