import { expect, test } from "@jest/globals";
import type { PacketMatch } from "#lib/state/traffic-fact.ts";
import { packetFilter } from "./packet-filter.ts";

const hex = (n: number) => n.toString(16).padStart(8, "0");
const text = ({ protocol, words }: PacketMatch): string =>
  [protocol, ...words.map(({ offset, mask, value }) => `${offset}:${hex(mask)}=${hex(value)}`)].join(" ");

const PLAIN = "0:0f000000=05000000 4:00001fff=00000000";
const cases: readonly [filter: string, matches: string[]][] = [
  ["", ["all"]],
  ["ip", ["ip"]],
  ["udp", ["ip 8:00ff0000=00110000", "ipv6 4:0000ff00=00001100"]],
  ["icmp6", ["ipv6 4:0000ff00=00003a00"]],
  [
    "ip and tcp port 80",
    [`ip ${PLAIN} 8:00ff0000=00060000 20:ffff0000=00500000`, `ip ${PLAIN} 8:00ff0000=00060000 20:0000ffff=00000050`],
  ],
  ["src host 10.1.0.5", ["ip 12:ffffffff=0a010005"]],
  ["net 10.1.0.0/16", ["ip 12:ffff0000=0a010000", "ip 16:ffff0000=0a010000"]],
  ["dst net fd00::/40", ["ipv6 24:ffffffff=fd000000 28:ff000000=00000000"]],
  ["TCP dst port 443 ip6", ["ipv6 4:0000ff00=00000600 40:0000ffff=000001bb"]],
];
test.each(cases)("%j", (filter, matches) => expect(packetFilter(filter).map(text)).toEqual(matches));
test("the table has cases", () => expect(cases.length).toBe(9));

test("a port of no protocol is that of any, in both families and both directions", () =>
  expect(packetFilter("port 53")).toHaveLength(12));

test.each([
  ["tpc", '"tpc" is not understood'],
  ["constructor", '"constructor" is not understood'],
  ["port 70000", '"70000" is not a port from 1 to 65535'],
  ["src 10.0.0.1", "after src comes host, net or port"],
  ["icmp port 7", "icmp has no ports"],
  ["tcp udp", "it says protocols twice"],
  ["ip6 host 10.0.0.1", "it says family twice"],
  ["host 10.0.0", "10.0.0"],
])("%j is refused", (filter, message) => expect(() => packetFilter(filter)).toThrow(message));
