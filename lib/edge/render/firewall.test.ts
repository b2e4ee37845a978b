import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { goldens, piecesOf } from "../../../test/support/vyos/golden.ts";
import { change } from "../change.ts";
import { type Line, lineOf } from "../path.ts";
import { ownership } from "../piece.ts";
import { grow, type Tree } from "../tree.ts";
import { CHOSEN } from "./sample-view.ts";

goldens([
  [
    "a chain of rules, of both families; who has no members is in no rule",
    {
      pools: ["media"],
      groups: [
        { name: "MEDIA", of: "pools" },
        { name: "NODES", of: "nodes" },
      ],
      firewall: {
        chain: "SELVEDGE",
        jumpRule: 500,
        otherwise: "drop",
        rules: [
          {
            name: "sip",
            action: "accept",
            from: { group: "MEDIA" },
            protocol: "udp",
            ports: [5_060, 5_061],
            log: false,
          },
          { name: "ping", action: "accept", to: { group: "NODES" }, protocol: "icmp", ports: [], log: true },
          { name: "lab", action: "reject", from: { prefix: prefix("2001:db8:1::/48") }, ports: [], log: false },
        ],
      },
    },
    [
      "firewall group network-group MEDIA network 10.67.0.0/20",
      "firewall group address-group NODES address 192.0.2.11",
      "firewall group address-group NODES address 192.0.2.12",
      "firewall group address-group NODES address 192.0.2.13",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::11",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::12",
      "firewall ipv4 name SELVEDGE default-action drop",
      "firewall ipv4 name SELVEDGE rule 1 action accept",
      "firewall ipv4 name SELVEDGE rule 1 state established",
      "firewall ipv4 name SELVEDGE rule 1 state related",
      "firewall ipv4 name SELVEDGE rule 10 description 'selvedge sip'",
      "firewall ipv4 name SELVEDGE rule 10 action accept",
      "firewall ipv4 name SELVEDGE rule 10 source group network-group MEDIA",
      "firewall ipv4 name SELVEDGE rule 10 protocol udp",
      "firewall ipv4 name SELVEDGE rule 10 destination port 5060,5061",
      "firewall ipv4 name SELVEDGE rule 20 description 'selvedge ping'",
      "firewall ipv4 name SELVEDGE rule 20 action accept",
      "firewall ipv4 name SELVEDGE rule 20 destination group address-group NODES",
      "firewall ipv4 name SELVEDGE rule 20 protocol icmp",
      "firewall ipv4 name SELVEDGE rule 20 log",
      "firewall ipv4 forward filter rule 500 action jump",
      "firewall ipv4 forward filter rule 500 jump-target SELVEDGE",
      "firewall ipv6 name SELVEDGE-6 default-action drop",
      "firewall ipv6 name SELVEDGE-6 rule 1 action accept",
      "firewall ipv6 name SELVEDGE-6 rule 1 state established",
      "firewall ipv6 name SELVEDGE-6 rule 1 state related",
      "firewall ipv6 name SELVEDGE-6 rule 20 description 'selvedge ping'",
      "firewall ipv6 name SELVEDGE-6 rule 20 action accept",
      "firewall ipv6 name SELVEDGE-6 rule 20 destination group address-group NODES-6",
      "firewall ipv6 name SELVEDGE-6 rule 20 protocol ipv6-icmp",
      "firewall ipv6 name SELVEDGE-6 rule 20 log",
      "firewall ipv6 name SELVEDGE-6 rule 30 description 'selvedge lab'",
      "firewall ipv6 name SELVEDGE-6 rule 30 action reject",
      "firewall ipv6 name SELVEDGE-6 rule 30 source address 2001:db8:1::/48",
      "firewall ipv6 forward filter rule 500 action jump",
      "firewall ipv6 forward filter rule 500 jump-target SELVEDGE-6",
    ],
  ],
  [
    "groups of pods, those that follow one another as one entry; one that has no members is there",
    {
      groups: [
        { name: "WEB", of: "pods", pods: CHOSEN },
        { name: "NONE", of: "pods", pods: { labels: { app: "none" }, most: 2 } },
      ],
    },
    [
      "firewall group address-group WEB",
      "firewall group address-group WEB address 10.66.0.5-10.66.0.6",
      "firewall group address-group WEB address 10.66.9.1",
      "firewall group ipv6-address-group WEB-6",
      "firewall group ipv6-address-group WEB-6 address fd66::5",
      "firewall group address-group NONE",
      "firewall group ipv6-address-group NONE-6",
    ],
  ],
  [
    "groups of both families, zones",
    {
      groups: [
        { name: "PODS", of: "pools" },
        { name: "NODES", of: "nodes" },
      ],
      forwarding: { zones: [{ domain: "cluster.local", servers: [address("10.66.0.10")] }] },
    },
    [
      "firewall group network-group PODS network 10.66.0.0/16",
      "firewall group network-group PODS network 10.67.0.0/20",
      "firewall group ipv6-network-group PODS-6 network fd66::/64",
      "firewall group address-group NODES address 192.0.2.11",
      "firewall group address-group NODES address 192.0.2.12",
      "firewall group address-group NODES address 192.0.2.13",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::11",
      "firewall group ipv6-address-group NODES-6 address 2001:db8::12",
      "service dns forwarding domain cluster.local name-server 10.66.0.10",
    ],
  ],
]);

test("a group of too many pods stays as it is, and the chain that names it needs it", () => {
  const spec = {
    groups: [{ name: "WEB", of: "pods", pods: { ...CHOSEN, most: 1 } } as const],
    firewall: {
      chain: "SELVEDGE",
      otherwise: "return",
      rules: [{ name: "web", action: "accept", to: { group: "WEB" }, ports: [], log: false }],
    } as const,
  };
  const pieces = piecesOf(spec);
  expect(pieces.map(({ at, stays, needs }) => [lineOf(at), stays, needs?.map(lineOf)])).toEqual([
    ["firewall group address-group WEB", "would have 2 entries, and may have 1: it stays as it is", undefined],
    ["firewall group ipv6-address-group WEB-6", undefined, undefined],
    ["firewall ipv4 name SELVEDGE", undefined, ["firewall group address-group WEB"]],
    ["firewall ipv6 name SELVEDGE-6", undefined, undefined],
  ]);
  expect(pieces[0]?.paths).toEqual([]);
  expect(pieces[2]?.paths.map(lineOf)).toContain(
    "firewall ipv4 name SELVEDGE rule 10 destination group address-group WEB",
  );
});

test("a chain needs each of the groups of too many pods that it names: any of them may never have been made", () => {
  const group = (name: string) => ({ name, of: "pods", pods: { ...CHOSEN, most: 1 } }) as const;
  const rule = (name: string) => ({ name, action: "accept", to: { group: name }, ports: [], log: false }) as const;
  const spec = {
    groups: [group("KNOWN"), group("NEW")],
    firewall: { chain: "SELVEDGE", otherwise: "return", rules: [rule("KNOWN"), rule("NEW")] } as const,
  };
  const known = "firewall group address-group KNOWN";
  const have: Tree = new Map();
  grow(have, [...known.split(" "), "address", "10.66.0.5"]);
  const owned = ownership([{ at: known as Line, lines: [`${known} address 10.66.0.5` as Line] }]);
  const { sets, conflicts } = change(piecesOf(spec), have, owned);
  expect(conflicts).toContainEqual({
    at: "firewall ipv4 name SELVEDGE",
    foreign: [],
    needs: "firewall group address-group NEW",
  });
  expect(sets.map(lineOf).filter((line) => line.startsWith("firewall ipv4"))).toEqual([]);
});
