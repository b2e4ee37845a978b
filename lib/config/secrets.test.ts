/** Who writes a secret where only its place should be said finds it neither on the terminal nor in the log. */
import { expect, test } from "@jest/globals";
import { unplaced } from "./refusal.ts";
import { isSecretAt, SECRET_NAMES } from "./settings.ts";

const SECRET = "hunter2";
const router = (settings: string) => `edge: {routers: [{name: e, url: "https://e", ${settings}}]}`;
const REFERENCE = "what stands there is not an object such as {file: /etc/selvedge/edge1.key}";
const site = (settings: string) =>
  router(
    `key: {file: /k}, sites: [{name: w, interface: wg1, addresses: [10.255.0.1/30], networks: [10.70.0.0/16], ${settings}}]`,
  );
const CASES: readonly [what: string, text: string, told: string][] = [
  ["instead of its place", router(`key: ${SECRET}`), `edge.routers[0].key: ${REFERENCE}`],
  [
    "as the name of its file",
    router(`key: {file: ${SECRET}}`),
    "edge.routers[0].key.file: what stands there is not an absolute path",
  ],
  [
    "as a variable's name",
    router(`key: {environment: "${SECRET}!"}`),
    "edge.routers[0].key.environment: what stands there is not a name of the environment such as EDGE1_KEY",
  ],
  [
    "of BGP",
    router(`key: {file: /k}, bgp: {as: 65000, password: ${SECRET}}`),
    `edge.routers[0].bgp.password: ${REFERENCE}`,
  ],
  [
    "of WireGuard",
    site(`wireguard: {privateKey: ${SECRET}, publicKey: "${"A".repeat(43)}=", endpoint: "192.0.2.1:51820"}`),
    `edge.routers[0].sites[0].wireguard.privateKey: ${REFERENCE}`,
  ],
  [
    "of etcd",
    `cluster: {store: {etcd: {endpoints: ["https://e:2379"], user: u, passwordFile: ${SECRET}}}}`,
    "passwordFile: what stands there is not an absolute path",
  ],
  [
    "within what is wrong as a whole",
    `edge: {routers: {key: ${SECRET}}}`,
    'edge.routers: {"key":"(not shown)"} is not',
  ],
  [
    "in a URL",
    'edge: {routers: [{name: e, url: "https://admin:hunter2@e", key: {file: /k}}]}',
    '"https://(not shown)@e" is not',
  ],
  [
    "in a URL without a name",
    'edge: {routers: [{name: e, url: "https://:hunter2@e", key: {file: /k}}]}',
    '"https://(not shown)@e" is not',
  ],
];
test.each(CASES)("a secret %s", (_what, text, told) => {
  const lines = unplaced(text).join("\n");
  expect(lines).toContain(told);
  expect(lines).not.toContain(SECRET);
});

test("it is known of every setting that says where a secret is", () => {
  expect([...SECRET_NAMES].sort()).toEqual(["key", "password", "passwordFile", "presharedKey", "privateKey", "secret"]);
  expect(isSecretAt(["edge", "routers", 0, "name"])).toBe(false);
  expect(isSecretAt(["edge", "routers", 0, "key", "secret", "name"])).toBe(true);
});
