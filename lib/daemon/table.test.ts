import { expect, test } from "@jest/globals";
import type { Mac } from "#lib/address.ts";
import { contested } from "#lib/daemon/contested.ts";
import { table } from "#lib/daemon/table.ts";
import type { Fact } from "#lib/state/fact.ts";
import { sampleRecord } from "#lib/store/sample-record.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";

const veth = (name: string): Fact => ({
  type: "link",
  at: "host",
  name,
  kind: "veth",
  up: true,
  mac: "ee:ee:ee:ee:ee:ee" as Mac,
});
const port: Fact = {
  type: "element",
  at: "host",
  family: "inet",
  table: "selvedge",
  set: "ports4",
  key: ["tcp", "8080"],
  value: ["10.0.0.1", "80"],
};
const record = (containerId: string, facts: Fact[], more: Partial<AttachmentRecord> = {}): AttachmentRecord =>
  sampleRecord({ containerId, facts, ...more });

const plane = (ifname: string) => ({ name: ifname, ifname, type: "ptp", tenant: "red" });

test("indexes follow the records", () => {
  const t = table(contested);
  t.put(record("a", [veth("sva"), port], { netnsInode: 7 }));
  t.put(record("b", [veth("svb")], { netnsInode: 7, phase: "adding" }));
  expect(t.byHostLink("sva")?.containerId).toBe("a");
  expect(t.inNamespace(7).map((r) => r.containerId)).toEqual(["a", "b"]);
  expect(t.holder("", port)?.containerId).toBe("a");
  expect(t.holder("", port, { containerId: "a", ifname: "eth0" })).toBeUndefined();
  expect(t.isWanted("", port, { containerId: "b", ifname: "eth0" })).toBe(true);
  expect(t.isWanted("", port, { containerId: "a", ifname: "eth0" })).toBe(false);
  expect(t.inPhase("adding")).toBe(1);

  // The same port on a tenant's router is another port.
  t.put(record("c", [], { tenantFacts: { red: [port, veth("svc")] }, planes: [plane("eth0"), plane("media")] }));
  expect(t.holder("red", port)?.containerId).toBe("c");
  expect(t.byHostLink("svc")?.containerId).toBe("c");
  expect(t.ofInterface({ containerId: "c", ifname: "media" })?.containerId).toBe("c");
  expect(t.ofInterface({ containerId: "c", ifname: "eth9" })).toBeUndefined();
  t.remove({ containerId: "c", ifname: "eth0" });
  expect(t.holder("red", port)).toBeUndefined();

  t.put(record("a", [veth("svz")], { netnsInode: 8 }));
  expect(t.size).toBe(2);
  expect(t.byHostLink("sva")).toBeUndefined();
  expect(t.holder("", port)).toBeUndefined();
  expect(t.inNamespace(7).map((r) => r.containerId)).toEqual(["b"]);

  t.remove({ containerId: "a", ifname: "eth0" });
  t.remove({ containerId: "a", ifname: "eth0" });
  expect([...t].map((r) => r.containerId)).toEqual(["b"]);
  expect(t.ofContainer("a")).toEqual([]);
});
