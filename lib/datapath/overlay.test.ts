import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import { segmentChains, segmentFacts } from "./overlay.ts";

const addresses = (...texts: readonly string[]) => texts.map((text) => address(text));

const GIVEN: [what: string, peers: readonly string[], local: string | undefined, used: string | undefined][] = [
  ["over IPv4, as the routes have it", ["192.0.2.2"], undefined, undefined],
  ["over IPv4, by one address", ["192.0.2.2"], "192.0.2.1", "192.0.2.1"],
  ["over IPv6, as the routes have it", ["fd00::2"], undefined, "::"],
  ["over IPv6, by one address", ["fd00::2"], "fd00::1", "fd00::1"],
];
test.each(GIVEN)("the tunnel learns behind which peer a pod is: %s", (_what, peers, local, used) => {
  const segment = { network: "g", bridge: "br0", vni: 7, port: 4789, parent: "eth0", mtu: 1450 };
  const [link] = segmentFacts({
    ...segment,
    peers: addresses(...peers),
    ...(local === undefined ? {} : { local: address(local) }),
  });
  expect(link).toMatchObject({
    vxlan: { id: 7, port: 4789, learning: true, ...(used === undefined ? {} : { local: used }) },
  });
  expect(used === undefined && link?.type === "link" && link.vxlan !== undefined && "local" in link.vxlan).toBe(false);
});

test("the table has cases", () => expect(GIVEN.length).toBe(4));

test("only peers put frames into segments, and segments with the same peers share their rules", () => {
  const two = addresses("192.0.2.3", "192.0.2.2");
  const chains = segmentChains([
    { vni: 71, port: 4789, peers: two },
    { vni: 72, port: 4789, peers: two.toReversed() },
    { vni: 73, port: 4789, peers: addresses("fd00::2") },
    { vni: 72, port: 4790, peers: [] },
  ]);
  expect(chains).toEqual([
    {
      name: "segment_tunnels",
      called: { by: "raw_prerouting", when: "udp dport { 4789, 4790 }" },
      rules: [
        "udp dport 4789 @th,96,24 { 71, 72 } ip saddr != { 192.0.2.2, 192.0.2.3 } counter drop",
        "udp dport 4789 @th,96,24 { 71, 72 } meta nfproto ipv6 counter drop",
        "udp dport 4789 @th,96,24 { 73 } meta nfproto ipv4 counter drop",
        "udp dport 4789 @th,96,24 { 73 } ip6 saddr != { fd00::2 } counter drop",
        "udp dport 4790 @th,96,24 { 72 } meta nfproto ipv4 counter drop",
        "udp dport 4790 @th,96,24 { 72 } meta nfproto ipv6 counter drop",
      ],
    },
  ]);
});

test("without a segment no packet is looked at", () => {
  expect(segmentChains([])).toEqual([]);
});
