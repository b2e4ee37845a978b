import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { isFailure } from "#lib/errors.ts";
import { calledOf, specOf } from "./spec.ts";

const WITH_SITE = `
edge:
  routers:
    - name: edge1
      url: https://192.0.2.1
      key: {file: /k}
      bgp: {as: 1, nodesAs: 2, password: {file: /p}}
      sites:
        - name: hq
          interface: vti1
          addresses: [10.255.0.1/30]
          networks: [10.70.0.0/16]
          ipsec: {local: 192.0.2.1, remote: 192.0.2.2, secret: {file: /site}}
`;
const [ROUTER] =
  parseConfig(
    "edge: {routers: [{name: edge1, url: https://192.0.2.1, key: {file: /k}, bgp: {as: 1, nodesAs: 2, password: {file: /p}}}]}",
  ).edge?.routers ?? [];

async function passwordOf(line: string): Promise<string | undefined> {
  if (ROUTER === undefined) throw new TypeError("the configuration has a router");
  return (await specOf(ROUTER, [], async () => line)).bgp?.password;
}

test("a password of BGP is one word", async () => {
  expect(await passwordOf("a-l0ng/s3cret")).toBe("a-l0ng/s3cret");
  expect(await passwordOf("x".repeat(80))).toBe("x".repeat(80));
});

test.each(["two words", "tab\tbed", "what?", "söt", "it's", 'a"b', "x".repeat(81)])(
  "%j is none, and is not told",
  async (line) => {
    try {
      await passwordOf(line);
    } catch (error) {
      if (!isFailure(error, "config-invalid")) throw error;
      expect(error.message).toBe(
        "edge: the password in /p must be 1 to 80 printable ASCII characters without spaces, quotes and question marks",
      );
      return;
    }
    throw new Error("taken");
  },
);

const site = (tunnel: string) =>
  parseConfig(`edge:
  routers:
    - name: edge1
      url: https://192.0.2.1
      key: {file: /k}
      sites: [{name: hq, interface: ${tunnel.startsWith("ipsec") ? "vti1" : "wg1"}, networks: [10.70.0.0/16], ${tunnel}}]`)
    .edge?.routers[0];
const KEY = `${"A".repeat(43)}=`;

test.each<[tunnel: string, secrets: Record<string, string>, expected: string]>([
  [
    "ipsec: {local: 192.0.2.1, remote: 192.0.2.2, secret: {file: /psk}}",
    { "/psk": "it's a s3cret" },
    "edge: the secret in /psk must be characters without quotes and control characters",
  ],
  [
    `wireguard: {privateKey: {file: /key}, publicKey: ${KEY}}`,
    { "/key": "s3cret" },
    "edge: the key in /key must be a WireGuard key: 32 bytes in base64",
  ],
  [
    `wireguard: {privateKey: {file: /key}, presharedKey: {file: /shared}, publicKey: ${KEY}}`,
    { "/key": KEY, "/shared": `'s3cret'` },
    "edge: the key in /shared must be a WireGuard key: 32 bytes in base64",
  ],
])("what is no secret of a tunnel is refused and not told: %s", async (tunnel, secrets, expected) => {
  const router = site(tunnel);
  if (router === undefined) throw new TypeError("the configuration has a router");
  await expect(specOf(router, [], async ({ file = "" }) => secrets[file] ?? "")).rejects.toThrow(
    new RegExp(`^${expected}$`),
  );
});

test("FRR on the nodes needs the password of BGP and no other secret", async () => {
  const [router] = parseConfig(WITH_SITE).edge?.routers ?? [];
  if (router === undefined) throw new TypeError("the configuration has a router");
  const asked: (string | undefined)[] = [];
  const secretFrom = async ({ file }: { readonly file?: string }) => {
    asked.push(file);
    return "a-s3cret";
  };
  const called = await calledOf(router, secretFrom);
  expect([asked, called.name, called.bgp?.password]).toEqual([["/p"], "edge1", "a-s3cret"]);
  await specOf(router, [], secretFrom);
  expect(asked.toSorted()).toEqual(["/p", "/p", "/site"]);
});
