import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { parseResult, renderResult } from "./result.ts";
import { VERSIONS, type Version } from "./types.ts";

type Row = { name: string; from: { cniVersion?: string }; to: string } & ({ result: object } | { error: string });
const file = join(import.meta.dirname, "../../../shared/data/cni-cases.json");
const all = (JSON.parse(readFileSync(file, "utf8")) as { resultConversion: Row[] }).resultConversion;
/** An empty version is 0.1.0. One that nobody knows is refused with the configuration, before there is a result. */
const versionOf = ({ to }: Row): Version | undefined => VERSIONS.find((known) => known === (to || "0.1.0"));
const rows = all.flatMap((row) => {
  const version = versionOf(row);
  return version === undefined ? [] : [{ row, version }];
});

test("the reference's table has rows", () => expect(rows.length).toBeGreaterThan(35));

test.each(
  rows.map(({ row, version }) => [row.name, row.from.cniVersion ?? "none", row.to || "none", row, version] as const),
)("%s from %s to %s", (_name, _from, _to, row, version) => {
  const converted = () => renderResult(parseResult(root(row.from)), version);
  if ("error" in row) expect(converted).toThrow(row.error);
  else expect(JSON.parse(JSON.stringify(converted()))).toEqual(row.result);
});

const full = parseResult(
  root({
    cniVersion: "1.1.0",
    interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1450, sandbox: "/run/netns/a" }],
    ips: [{ address: "10.1.0.5/16", gateway: "10.1.0.1", interface: 0 }],
    routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.1", table: 0, scope: 0, priority: 7 }],
    dns: { search: ["example.org"] },
  }),
);

test.each(["1.0.0", "1.1.0"] as const)("what is written in %s is what is read", (version) => {
  expect(parseResult(root(JSON.parse(JSON.stringify(renderResult(full, version)))))).toEqual(full);
});

test.each(VERSIONS)("%s can be written and read again without losing the address", (version) => {
  expect(parseResult(root(renderResult(full, version))).ips[0]?.address).toBe("10.1.0.5/16");
});

test.each([
  [{ ips: [{ address: "10.1.0.5" }] }, "ips[0].address"],
  [{ ips: [{}] }, "ips[0].address"],
  [{ ips: [{ address: "10.1.0.5/16", interface: -1 }] }, "ips[0].interface"],
  [{ routes: [{ dst: "nowhere" }] }, "routes[0].dst"],
  [{ interfaces: {} }, "interfaces"],
  [{ interfaces: [{ name: 5 }] }, "interfaces[0].name"],
  [{ dns: { search: "a" } }, "dns.search"],
])("%j is refused with the path", (result, path) => {
  expect(() => parseResult(root({ cniVersion: "1.1.0", ...result }))).toThrow(path);
});

test("keys of any case are read, as Go does", () => {
  const result = parseResult(root({ CNIVersion: "1.0.0", IPs: [{ Address: "10.0.0.2/24" }] }));
  expect(result.ips).toEqual([{ address: "10.0.0.2/24" }]);
});

test("a result without a version has the configuration's", () => {
  expect(parseResult(root({ ips: [{ address: "10.0.0.2/24" }] }), "1.0.0").ips).toHaveLength(1);
});
