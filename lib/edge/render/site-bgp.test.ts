import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { needing } from "../../../test/support/requirement.ts";
import { grammar, grammarFile } from "../../../test/support/vyos/grammar.ts";
import { DIALECTS, type Version } from "../dialect.ts";
import { lineOf } from "../path.ts";
import { overlapping } from "../piece.ts";
import type { EdgeView, RouterSpec, SiteSpec } from "../router.ts";
import { sampleBgp, sampleRouter } from "../sample-router.ts";
import { render } from "./render.ts";

const VIEW: EdgeView = {
  pools: [{ name: "default", prefixes: [prefix("10.66.0.0/16"), prefix("fd66::/64")], isExposed: true }],
  nodes: [],
  egress: [],
};
const KEY = Buffer.alloc(32, 7).toString("base64");
const site = (n: number, localPreference?: number): SiteSpec => ({
  name: `east-${n}`,
  interface: `wg${n}`,
  addresses: [prefix(`10.255.${n}.1/30`)],
  networks: [prefix("10.70.0.0/16")],
  bgp: {
    as: 65_010,
    remoteAs: 65_020,
    neighbour: address(`10.255.${n}.2`),
    bfd: true,
    ...(localPreference === undefined ? {} : { localPreference }),
  },
  wireguard: { privateKey: KEY, port: 51_820, publicKey: KEY },
});
const ROUTER = sampleRouter({ sites: [site(1, 200), site(2)] });
const BGP = sampleBgp({ as: 65_010, addresses: [], listen: [prefix("192.0.2.0/24")] });
const pieces = (spec: Partial<RouterSpec>, version: Version = "1.4") =>
  render({ ...ROUTER, ...spec }, VIEW, DIALECTS[version]);
const lines = (spec: Partial<RouterSpec>, version?: Version) =>
  pieces(spec, version).flatMap(({ paths }) => paths.map(lineOf));

test("two tunnels to one cluster, the first of them preferred", () => {
  expect(lines({}).filter((line) => !/^interfaces|prefix-list6|ipv6/.test(line))).toEqual([
    "policy prefix-list SELVEDGE-HERE rule 10 action permit",
    "policy prefix-list SELVEDGE-HERE rule 10 prefix 10.66.0.0/16",
    "policy route-map SELVEDGE-HERE rule 10 action permit",
    "policy route-map SELVEDGE-HERE rule 10 match ip address prefix-list SELVEDGE-HERE",
    "policy route-map SELVEDGE-HERE rule 20 action permit",
    "protocols bgp system-as 65010",
    "protocols bgp address-family ipv4-unicast network 10.66.0.0/16",
    ...[1, 2].flatMap((n) => [
      `policy prefix-list SELVEDGE-SITE-east-${n} rule 10 action permit`,
      `policy prefix-list SELVEDGE-SITE-east-${n} rule 10 prefix 10.70.0.0/16`,
      `policy prefix-list SELVEDGE-SITE-east-${n} rule 10 le 32`,
      `policy route-map SELVEDGE-SITE-east-${n} rule 10 action permit`,
      `policy route-map SELVEDGE-SITE-east-${n} rule 10 match ip address prefix-list SELVEDGE-SITE-east-${n}`,
      ...(n === 1 ? ["policy route-map SELVEDGE-SITE-east-1 rule 10 set local-preference 200"] : []),
      `protocols bgp neighbor 10.255.${n}.2 remote-as 65020`,
      `protocols bgp neighbor 10.255.${n}.2 description 'selvedge east-${n}'`,
      `protocols bgp neighbor 10.255.${n}.2 bfd`,
      `protocols bgp neighbor 10.255.${n}.2 timers keepalive 3`,
      `protocols bgp neighbor 10.255.${n}.2 timers holdtime 9`,
      `protocols bgp neighbor 10.255.${n}.2 address-family ipv4-unicast route-map import SELVEDGE-SITE-east-${n}`,
      `protocols bgp neighbor 10.255.${n}.2 address-family ipv4-unicast route-map export SELVEDGE-HERE`,
    ]),
  ]);
  expect(lines({}).filter((line) => line.includes("allowed-ips"))).toEqual([
    "interfaces wireguard wg1 peer east-1 allowed-ips 10.70.0.0/16",
    "interfaces wireguard wg1 peer east-1 allowed-ips 10.255.1.2/32",
    "interfaces wireguard wg2 peer east-2 allowed-ips 10.70.0.0/16",
    "interfaces wireguard wg2 peer east-2 allowed-ips 10.255.2.2/32",
  ]);
});

test("beside BGP with the nodes the router's AS is said once", () => {
  const all = pieces({ bgp: BGP });
  expect(overlapping(all)).toBeUndefined();
  expect(all.filter(({ at }) => lineOf(at) === "protocols bgp system-as")).toHaveLength(1);
  expect(lines({ bgp: { ...BGP, vrf: "PODS" } }).filter((line) => line.includes("system-as"))).toEqual([
    "vrf name PODS protocols bgp system-as 65010",
    "protocols bgp system-as 65010",
  ]);
});

test("without pools nobody is told anything", () => {
  expect(lines({ pools: ["none"] }).filter((line) => !line.startsWith("interfaces"))).toEqual([]);
});

needing({ file: grammarFile("1.4") }, { file: grammarFile("rolling") }).each<Version>(["1.4", "rolling"])(
  "VyOS %s takes it",
  (version) => {
    const { refusal } = grammar(version);
    const all = pieces({ bgp: BGP }, version).flatMap(({ paths }) => paths);
    expect(all.length).toBeGreaterThan(0);
    expect(all.flatMap((path) => refusal(path, "set") ?? [])).toEqual([]);
  },
);
