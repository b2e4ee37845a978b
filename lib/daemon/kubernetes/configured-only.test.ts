import { expect, test } from "@jest/globals";
import { configuredOnly } from "./configured-only.ts";

const TENANTS = "tenants.selvedge.dev";
const MESSAGE = "may not list: 403 forbidden";

function listening(kept: readonly string[] = []) {
  const it = { tellings: 0 };
  const own = { put: () => {}, remove: () => {}, failed: () => {}, told: () => void it.tellings++ };
  return Object.assign(
    it,
    configuredOnly(own, (kind) => kept.includes(kind)),
  );
}

test("parts of the configuration are told when all of them are, whatever else is lacking", () => {
  const heard = listening();
  heard.told(["addresspools.selvedge.dev", "networks.selvedge.dev"]);
  heard.told(["networks.selvedge.dev"]);
  expect(heard.tellings).toBe(0);
  heard.told(["network-attachment-definitions.k8s.cni.cncf.io"]);
  heard.told([]);
  heard.told();
  expect(heard.tellings).toBe(3);
});

test("a kind that may not be listed holds up no other, whether that is told before the others or after", () => {
  const before = listening();
  before.failed(TENANTS, MESSAGE, "forbidden");
  expect(before.tellings).toBe(0);
  before.told([TENANTS, "networks.selvedge.dev"]);
  expect(before.tellings).toBe(0);
  before.told([TENANTS]);
  expect(before.tellings).toBe(1);
  const after = listening();
  after.told([TENANTS]);
  after.failed(TENANTS, "may not list: 500 etcd");
  expect(after.tellings).toBe(0);
  after.failed(TENANTS, MESSAGE, "forbidden");
  expect(after.tellings).toBe(1);
});

test("it does where the node keeps one of it, and while it is being listed after all", () => {
  const keeping = listening(["Tenant"]);
  keeping.failed(TENANTS, MESSAGE, "forbidden");
  keeping.told([TENANTS]);
  expect(keeping.tellings).toBe(0);
  const allowed = listening();
  allowed.failed(TENANTS, MESSAGE, "forbidden");
  allowed.remove(TENANTS);
  allowed.told([TENANTS]);
  expect(allowed.tellings).toBe(0);
  allowed.told([]);
  expect(allowed.tellings).toBe(1);
});
