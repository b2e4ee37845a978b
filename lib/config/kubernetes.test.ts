import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { parseConfig } from "./config.ts";

test.each([
  ["", undefined, undefined],
  ["kubernetes: {}", { resources: false }, { logDenied: false, audit: false }],
  [
    "kubernetes: {kubeconfig: /k}\npolicies: {audit: true}",
    { kubeconfig: "/k", resources: false },
    { logDenied: false, audit: true },
  ],
  ["policies: {directory: /d}", undefined, { directory: "/d", logDenied: false, audit: false }],
])("%j", (text, kubernetes, policies) => {
  const config = parseConfig(text);
  expect([config.kubernetes, config.policies]).toEqual([kubernetes, policies]);
});

test.each([
  ["kubernetes: {kubeconfig: k}", 'c:1:14: kubernetes.kubeconfig: "k" is not an absolute path'],
  [
    "kubernetes: true",
    "c:1:1: kubernetes: true is not an object such as {kubeconfig: /etc/selvedge/kubeconfig}, or {} in a pod",
  ],
  ["kubernetes: {kubeConfig: /k}", 'c:1:14: kubernetes.kubeConfig: unknown setting; did you mean "kubeconfig"?'],
  ["policies: {}", "c:1:1: policies: needs `directory`, or `kubernetes` beside it: nothing says where policies are"],
  [
    "kubernetes: {}\npolicies: {directory: /d}",
    "c:2:12: policies.directory: is not possible together with `kubernetes`, which policies come from then",
  ],
])("%j is refused", (text, message) => {
  try {
    parseConfig(text, "c");
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    return expect(error.message).toBe(message);
  }
  throw new Error("it was taken");
});
