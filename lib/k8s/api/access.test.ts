import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { serviceAccount } from "./access.ts";
import { kubeconfig } from "./kubeconfig.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "access-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

test.each([
  ["10.96.0.1", "443", "https://10.96.0.1"],
  ["fd00:96::1", "6443", "https://[fd00:96::1]:6443"],
])("the service account of a pod: %s port %s is %s, and its token is read again", async (host, port, origin) => {
  write("ca.crt", "authority");
  write("token", "first\n");
  const read = serviceAccount({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }, { directory });
  const { server, ...rest } = await read();
  expect([server.origin, rest]).toEqual([origin, { ca: "authority", token: "first" }]);
  write("token", "second\n");
  expect((await read()).token).toBe("second");
});

test("outside of a pod there is none", () => {
  expect(() => serviceAccount({})).toThrow(
    "kubernetes.kubeconfig: is missing; it must be an absolute path, as the daemon runs in no pod of Kubernetes",
  );
});

const file = (cluster: object, user: object): string =>
  JSON.stringify({
    "current-context": "here",
    contexts: [
      { name: "there", context: { cluster: "none", user: "none" } },
      { name: "here", context: { cluster: "c", user: "u" } },
    ],
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
  });
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("a kubeconfig: data wins over files, and files are found beside it", async () => {
  write("key.pem", "secret");
  write("token", "from a file\n");
  const text = file(
    {
      server: "https://api.example:6443/base",
      "certificate-authority-data": base64("authority"),
      "tls-server-name": "api",
    },
    {
      "client-certificate-data": base64("certificate"),
      "client-certificate": "none.pem",
      "client-key": "key.pem",
      tokenFile: "token",
      token: "another",
    },
  );
  const { server, ...rest } = await kubeconfig(write("kubeconfig", text))();
  expect([server.href, rest]).toEqual([
    "https://api.example:6443/base",
    { ca: "authority", serverName: "api", certificate: "certificate", key: "secret", token: "from a file" },
  ]);
});

const HERE = "https://api.example";
const MISTAKES: [what: string, text: string, message: string][] = [
  ["no YAML", "a: [", "Flow sequence"],
  ["nothing", "", "current-context: is missing; it must be a string"],
  [
    "no such context",
    JSON.stringify({ "current-context": "x", contexts: [] }),
    'contexts: [] is not a list with the context "x"',
  ],
  [
    "http",
    file({ server: "http://api.example" }, {}),
    'cluster.server: "http://api.example" is not a URL such as "https://',
  ],
  [
    "no check",
    file({ server: HERE, "insecure-skip-tls-verify": true }, {}),
    "insecure-skip-tls-verify: true is not left out",
  ],
  ["a program", file({ server: HERE }, { exec: { command: "aws" } }), "user.exec: "],
  ["a file that is not there", file({ server: HERE }, { tokenFile: "none" }), "ENOENT"],
];
test.each(MISTAKES)("a kubeconfig with a mistake is refused: %s", async (_what, text, message) => {
  await expect(kubeconfig(write("wrong", text))()).rejects.toMatchObject({
    failure: { kind: "config-invalid" },
    message: expect.stringContaining(message),
  });
});
