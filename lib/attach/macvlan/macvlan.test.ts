import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import type { Attached } from "#lib/attach/kind.ts";
import { isFailure } from "#lib/errors.ts";
import { root } from "#lib/parse.ts";
import { dualStack, ipv4Only, lines, uplink } from "../../../test/attach/sample.ts";
import { macvlan } from "./macvlan.ts";

const build = (config: unknown, attached: Attached) =>
  macvlan.desired(macvlan.parse(root(config)), { ...attached, carrier: uplink });

const cases: [name: string, config: object, attached: Attached, shared: string[], own: string[]][] = [
  [
    "bridge mode, dual stack: the node has a shim",
    { master: "uplink" },
    dualStack,
    [
      "+ link sm9d77fa81197 macvlan up parent uplink mode bridge mac 0e:5a:f1:6e:49:bf no-ipv6-link-local",
      "+ addr 169.254.91.75/32 dev sm9d77fa81197",
      "+ addr fe80::fa86:f2d4:9b9b:1cf3/128 dev sm9d77fa81197",
    ],
    [
      "+ link eth0 [pod] macvlan up parent uplink mode bridge mtu 1450 mac 02:00:00:00:00:05",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ addr fd00::5/64 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route fd00::/64 dev eth0 [pod]",
      "+ route 10.1.0.5/32 dev sm9d77fa81197 src 169.254.91.75",
      "+ neigh 10.1.0.5 lladdr 02:00:00:00:00:05 dev sm9d77fa81197 permanent",
      "+ route fd00::5/128 dev sm9d77fa81197 src fe80::fa86:f2d4:9b9b:1cf3",
      "+ neigh fd00::5 lladdr 02:00:00:00:00:05 dev sm9d77fa81197 permanent",
      "+ route 169.254.91.75/32 dev eth0 [pod] metric 21730",
      "+ neigh 169.254.91.75 lladdr 0e:5a:f1:6e:49:bf dev eth0 [pod] permanent",
      "+ route fe80::fa86:f2d4:9b9b:1cf3/128 dev eth0 [pod] metric 21730",
      "+ neigh fe80::fa86:f2d4:9b9b:1cf3 lladdr 0e:5a:f1:6e:49:bf dev eth0 [pod] permanent",
    ],
  ],
  [
    "another mode has none",
    { master: "uplink", mode: "vepa", bcqueuelen: 500 },
    { ...ipv4Only, routes: [{ to: prefix("0.0.0.0/0") }, { to: prefix("::/0") }] },
    [],
    [
      "+ link eth0 [pod] macvlan up parent uplink mode vepa mtu 1450 mac 02:00:00:00:00:05",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route 0.0.0.0/0 via 10.1.0.1 dev eth0 [pod]",
    ],
  ],
  [
    "without addresses there is nothing to reach",
    { ipam: {} },
    { ...ipv4Only, addresses: [] },
    [],
    ["+ link eth0 [pod] macvlan up parent uplink mode bridge mtu 1450 mac 02:00:00:00:00:05"],
  ],
];
test.each(cases)("%s", (_name, config, attached, shared, own) => {
  const built = build(config, attached);
  expect(lines(built.shared)).toEqual(shared);
  expect(lines(built.facts)).toEqual(own);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(2));

test("the length of the queue is a property of the link", () =>
  expect(build({ bcqueuelen: 500 }, ipv4Only).facts[0]).toMatchObject({ kind: "macvlan", broadcastQueue: 500 }));

test("what is shared does not depend on the attachment", () => {
  const other = { ...dualStack, containerId: "c2", hostLink: "sv2", addresses: dualStack.addresses.slice() };
  expect(build({}, other).shared).toEqual(build({}, dualStack).shared);
});

test("a MAC of the configuration, and none", () => {
  expect(macvlan.mac?.(macvlan.parse(root({ mac: "02:00:00:00:00:09" })), uplink)).toBe("02:00:00:00:00:09");
  expect(macvlan.mac?.(macvlan.parse(root({ mac: "" })), uplink)).toBeUndefined();
});

test("ipam: {} is a link without addresses", () => {
  expect(macvlan.addressless?.(macvlan.parse(root({ ipam: {} })))).toBe(true);
  expect(macvlan.addressless?.(macvlan.parse(root({})))).toBe(false);
  expect(macvlan.addressless?.(macvlan.parse(root({ ipam: { type: "static" } })))).toBe(false);
});

const refused: [config: object, message: string][] = [
  [{ mode: "brigde" }, 'mode: "brigde" is not one of "bridge", "private", "vepa", "passthru"'],
  [{ master: "a/b" }, 'master: "a/b" is not a link name: 1 to 15 bytes without /, : or white space'],
  [{ linkInContainer: true }, "master: is missing; it must be a link of the container, where linkInContainer is true"],
  [{ mode: "private", hostShim: true }, 'hostShim: true is not possible in mode "private", only in "bridge"'],
  [
    { linkInContainer: true, master: "net1", hostShim: true },
    "hostShim: true is not possible together with linkInContainer",
  ],
  [{ bcqueuelen: -1 }, "bcqueuelen: -1 is not a whole number from 0 to 4294967295"],
];
test.each(refused)("%j is refused", (config, message) => {
  let thrown: unknown;
  try {
    macvlan.parse(root(config));
  } catch (error) {
    thrown = error;
  }
  expect(isFailure(thrown, "config-invalid")).toBe(true);
  expect(String(thrown)).toBe(`SelvedgeError: ${message}`);
});
test("there are refusals", () => expect(refused.length).toBeGreaterThan(5));

test("a link can send no more at once than its parent", () =>
  expect(() => build({}, { ...ipv4Only, mtu: 9_001 })).toThrow(
    "mtu: 9001 is not possible on uplink, whose own is 9000",
  ));
