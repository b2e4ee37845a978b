import { expect, test } from "@jest/globals";
import { root } from "#lib/parse.ts";
import { ipv4Only, lines, uplink } from "../../../test/attach/sample.ts";
import { ipvlan } from "./ipvlan.ts";

const pod = { ...ipv4Only, mac: uplink.mac, carrier: uplink };
const build = (config: unknown) => ipvlan.desired(ipvlan.parse(root(config)), pod);

const cases: [name: string, config: object, shared: string[], own: string[]][] = [
  [
    "l2: neighbours both ways",
    { master: "uplink" },
    [
      "+ link sm8787822f46d ipvlan up parent uplink mode l2 no-ipv6-link-local",
      "+ addr 169.254.90.229/32 dev sm8787822f46d",
    ],
    [
      "+ link eth0 [pod] ipvlan up parent uplink mode l2 mtu 1450",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route 10.1.0.5/32 dev sm8787822f46d src 169.254.90.229",
      "+ neigh 10.1.0.5 lladdr 02:00:00:00:00:aa dev sm8787822f46d permanent",
      "+ route 169.254.90.229/32 dev eth0 [pod] metric 21730",
      "+ neigh 169.254.90.229 lladdr 02:00:00:00:00:aa dev eth0 [pod] permanent",
    ],
  ],
  [
    "l3s: none",
    { mode: "l3s" },
    [
      "+ link sm8787822f46d ipvlan up parent uplink mode l3s no-ipv6-link-local",
      "+ addr 169.254.90.229/32 dev sm8787822f46d",
    ],
    [
      "+ link eth0 [pod] ipvlan up parent uplink mode l3s mtu 1450",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
      "+ route 10.1.0.5/32 dev sm8787822f46d src 169.254.90.229",
      "+ route 169.254.90.229/32 dev eth0 [pod] metric 21730",
    ],
  ],
  [
    "without a shim",
    { mode: "l3", hostShim: false },
    [],
    [
      "+ link eth0 [pod] ipvlan up parent uplink mode l3 mtu 1450",
      "+ addr 10.1.0.5/16 dev eth0 [pod]",
      "+ route 10.1.0.0/16 dev eth0 [pod]",
    ],
  ],
];
test.each(cases)("%s", (_name, config, shared, own) => {
  const built = build(config);
  expect(lines(built.shared)).toEqual(shared);
  expect(lines(built.facts)).toEqual(own);
});
test("the table has cases", () => expect(cases.length).toBeGreaterThan(2));

test("the MAC is the parent's", () => {
  const spec = ipvlan.parse(root({}));
  expect(ipvlan.mac?.(spec, uplink)).toBe("02:00:00:00:00:aa");
  expect(() => ipvlan.desired(spec, { ...ipv4Only, carrier: uplink })).toThrow(
    'mac: "02:00:00:00:00:05" is not possible with ipvlan, where every pod has the MAC of uplink, 02:00:00:00:00:aa',
  );
});

test("only l2 has neighbours to ask for a duplicate", () => {
  expect(build({}).underlay).toBe(true);
  expect(build({ mode: "l3" }).underlay).toBe(false);
});

test.each([
  [{ mode: "l4" }, 'mode: "l4" is not one of "l2", "l3", "l3s"'],
  [
    { linkInContainer: true, master: "net1", hostShim: true },
    "hostShim: true is not possible together with linkInContainer",
  ],
])("%j is refused", (config, message) => expect(() => ipvlan.parse(root(config))).toThrow(message));
