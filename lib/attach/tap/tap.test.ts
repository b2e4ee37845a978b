import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { ipv4Only, lines, uplink } from "../../../test/attach/sample.ts";
import { tap } from "./tap.ts";

const build = (config: unknown) => tap.desired(tap.parse(root(config)), ipv4Only);

test("with addresses, for a user and a group, in the pod's own bridge", () => {
  const built = build({ owner: 107, group: 0, multiQueue: true, bridge: "br0" });
  expect(built.shared).toEqual([]);
  expect(lines(built.facts)).toEqual([
    "+ link eth0 [pod] tap up mtu 1450 mac 02:00:00:00:00:05 master br0",
    "+ addr 10.1.0.5/16 dev eth0 [pod]",
    "+ route 10.1.0.0/16 dev eth0 [pod]",
  ]);
  expect(built.facts[0]).toMatchObject({ tap: { owner: 107, group: 0, multiQueue: true } });
});

test("nothing said", () => expect(build({}).facts[0]).toMatchObject({ kind: "tap", tap: {} }));

test("the bridge is a link of the container, up or not", () => {
  expect(tap.parent?.(tap.parse(root({ bridge: "br0" })))).toEqual({
    field: "bridge",
    at: "pod",
    name: "br0",
    mayBeDown: true,
  });
  expect(tap.parent?.(tap.parse(root({})))).toBeUndefined();
});

test("a MAC of the configuration", () =>
  expect(tap.mac?.(tap.parse(root({ mac: "02:00:00:00:00:09" })), uplink)).toBe("02:00:00:00:00:09"));

test.each([
  [{ owner: -1 }, "owner: -1 is not a whole number from 0 to 4294967294"],
  [{ bridge: "a b" }, 'bridge: "a b" is not a link name'],
  [
    { selinuxContext: "system_u:system_r:svirt_t:s0" },
    'selinuxContext: "system_u:system_r:svirt_t:s0" is not supported: the kernel labels a tap like the process that makes it',
  ],
])("%j is refused", (config, message) => expect(() => tap.parse(root(config))).toThrow(message));
