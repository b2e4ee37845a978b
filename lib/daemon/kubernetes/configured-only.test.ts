import { expect, test } from "@jest/globals";
import { configuredOnly } from "./configured-only.ts";

test("parts of the configuration are told when all of them are, whatever else is lacking", () => {
  let tellings = 0;
  const listener = configuredOnly({ put: () => {}, remove: () => {}, failed: () => {}, told: () => void tellings++ });
  listener.told(["addresspools.selvedge.dev", "networks.selvedge.dev"]);
  listener.told(["networks.selvedge.dev"]);
  expect(tellings).toBe(0);
  listener.told(["network-attachment-definitions.k8s.cni.cncf.io"]);
  listener.told([]);
  listener.told();
  expect(tellings).toBe(3);
});
