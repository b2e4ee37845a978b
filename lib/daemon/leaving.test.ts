import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { parseConfig } from "#lib/config/config.ts";
import type { Fact } from "#lib/state/fact.ts";
import { line } from "#lib/state/line.ts";
import { memory } from "#lib/store/memory.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import { contested } from "./contested.ts";
import { leavingOfTenant } from "./egress-rule.ts";
import { followConfiguration, leaversNamed } from "./leaving.ts";
import { table } from "./table.ts";

const configOf = (egress: string) =>
  parseConfig(`
networks: [{name: media}, {name: blue, tenant: blue}]
tenants: [{name: blue}]
cluster: {store: {etcd: {endpoints: [http://a]}}, egress: ${egress}}
`);
const at = (link: string, address: string): Fact => ({ type: "address", at: "pod", link, address: prefix(address) });

const POD = sampleRecord({
  network: "n",
  config: JSON.stringify({
    cniVersion: "1.1.0",
    name: "n",
    type: "selvedge",
    args: { cni: { labels: [{ key: "app", value: "api" }] } },
  }),
  args: "K8S_POD_NAMESPACE=billing;K8S_POD_NAME=api-0",
  facts: [at("eth0", "10.66.0.5/32"), at("eth0", "fd00::5/128"), at("m0", "10.67.0.5/32")],
  planes: [
    { name: "n", ifname: "eth0", type: "ptp" },
    { name: "media", ifname: "m0", type: "ptp" },
    { name: "blue", ifname: "b0", type: "ptp", tenant: "blue" },
  ],
  pod: "billing/api-0",
});
const FOUR = "addresses: [192.0.2.1]";
const FIRST = "element inet selvedge egress4 { 10.66.0.5 : 0x1000000 }";

const CASES: readonly [what: string, egress: string, expected: readonly string[]][] = [
  ["by namespace", `[{name: a, ${FOUR}, pods: [{namespace: bill*}]}]`, [FIRST]],
  ["by label", `[{name: a, ${FOUR}, pods: [{labels: {app: api}}]}]`, [FIRST]],
  ["by a label that it has not", `[{name: a, ${FOUR}, pods: [{labels: {app: web}}]}]`, []],
  [
    "by the second, both families",
    "[{name: a, addresses: [192.0.2.1], pods: [{pod: web}]}, {name: b, addresses: [192.0.2.2, 2001:db8::2], pods: [{pod: api-*}]}]",
    [
      "element inet selvedge egress4 { 10.66.0.5 : 0x2000000 }",
      "element inet selvedge egress6 { fd00::5 : 0x2000000 }",
    ],
  ],
  [
    "a further plane by its network",
    `[{name: a, ${FOUR}, pods: [{network: media}]}]`,
    ["element inet selvedge egress4 { 10.67.0.5 : 0x1000000 }"],
  ],
  ["a tenant's is none of the pod's own", `[{name: a, ${FOUR}, pods: [{tenant: blue}]}]`, []],
  ["nobody any more", "[]", []],
];

test.each(CASES)("%s: a running pod follows the configuration", async (_what, egress, expected) => {
  const known = table(contested);
  known.put({ ...POD, facts: [...POD.facts, LEFT_OVER] });
  const core = { config: configOf(egress), table: known, store: memory() };
  await followConfiguration(core);
  const facts = known.get(POD)?.facts ?? [];
  expect(facts.filter(({ type }) => type === "element").map((fact) => line({ do: "add", fact }).slice(2))).toEqual(
    expected,
  );
  expect((await core.store.load()).attachments[0]?.facts).toEqual(facts);
  expect(leaversNamed(core, 0)).toEqual(expected.some((text) => text.includes("0x1000000")) ? ["billing/api-0"] : []);
});

/** Of another configuration. */
const LEFT_OVER: Fact = {
  type: "element",
  at: "host",
  family: "inet",
  table: "selvedge",
  set: "egress4",
  key: ["10.66.0.5"],
  value: ["0x9000000"],
};

test("a tenant leaves by the first that names it", () => {
  const config = configOf(`[{name: a, ${FOUR}, pods: [{tenant: blue}]}]`);
  expect(leavingOfTenant(config, "blue")).toEqual({ index: 0, addresses: ["192.0.2.1"] });
  expect(leavingOfTenant(config, "green")).toBeUndefined();
});
