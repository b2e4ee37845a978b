/**
 * A filter of packets in a few of tcpdump's words, as matches of bytes: kernels are built without flower, not without
 * u32. `tcp port 80`, `src host 10.1.0.5`, `ip6 and udp`, `net 10.0.0.0/8 dst port 53`.
 *
 * IPv4 packets with options and fragments after the first match no port; nor do IPv6 packets with extension headers. A
 * packet that fits in two ways (its two ports are the same) is matched twice.
 */
import {
  address,
  addressOf,
  type Family,
  family,
  hostPrefix,
  lengthOf,
  networkOf,
  type Prefix,
  prefix,
  toBytes,
} from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { PacketMatch } from "#lib/state/traffic-fact.ts";

type Word = PacketMatch["words"][number];
type Side = "source" | "destination";
type Sides = Side | "either";

interface Conditions {
  family?: Family;
  /** linux/in.h; null: icmp, which is another number in each family. */
  protocols?: readonly number[];
  net?: { readonly prefix: Prefix; readonly side: Sides };
  port?: { readonly number: number; readonly side: Sides };
}

const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
const ICMP = { icmp: [4, 1], icmp6: [6, 58] } as const;
/** Protocols with ports at the beginning of their headers. */
const WITH_PORTS: readonly number[] = Object.values(PROTOCOL);

const GRAMMAR =
  "ip, ip6, tcp, udp, sctp, icmp, icmp6, host ADDRESS, net PREFIX, port NUMBER, the last three after src or dst where only that is meant; `and` between them may be left out";

/** The empty text is everything. @throws SelvedgeError config-invalid naming the word that is not understood */
export function packetFilter(text: string): PacketMatch[] {
  const conditions = parse(text);
  const { protocols, net, port } = conditions;
  if (conditions.family === undefined && protocols === undefined && net === undefined && port === undefined)
    return [{ protocol: "all", words: [] }];
  const families: readonly Family[] = conditions.family === undefined ? [4, 6] : [conditions.family];
  const kinds = protocols ?? (port === undefined ? [undefined] : WITH_PORTS);
  return families.flatMap((f) =>
    kinds.flatMap((protocol) =>
      sidesOf(net?.side).flatMap((netSide) =>
        sidesOf(port?.side).map(
          (portSide): PacketMatch => ({
            protocol: f === 4 ? "ip" : "ipv6",
            words: [
              ...(port === undefined ? [] : plainHeader(f)),
              ...(protocol === undefined ? [] : [protocolWord(f, protocol)]),
              ...(net === undefined || netSide === undefined ? [] : netWords(net.prefix, netSide)),
              ...(port === undefined || portSide === undefined ? [] : [portWord(f, port.number, portSide)]),
            ],
          }),
        ),
      ),
    ),
  );
}

const sidesOf = (side: Sides | undefined): readonly (Side | undefined)[] =>
  side === undefined ? [undefined] : side === "either" ? ["source", "destination"] : [side];

function parse(text: string): Conditions {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "and");
  const found: Conditions = {};
  const refuse = (what: string): never => {
    throw new SelvedgeError({ kind: "config-invalid", field: "filter" }, `filter: ${JSON.stringify(text)}: ${what}`, {
      hint: `A filter is made of: ${GRAMMAR}.`,
    });
  };
  const once = <K extends keyof Conditions>(key: K, value: NonNullable<Conditions[K]>): void => {
    if (found[key] !== undefined && found[key] !== value) refuse(`it says ${key} twice`);
    found[key] = value;
  };
  for (let at = 0; at < words.length; at++) {
    let word = words[at] ?? "";
    let side: Sides = "either";
    if (word === "src" || word === "dst") {
      side = word === "src" ? "source" : "destination";
      word = words[++at] ?? "";
      if (word !== "host" && word !== "net" && word !== "port")
        refuse(`after ${side === "source" ? "src" : "dst"} comes host, net or port`);
    }
    if (word === "ip" || word === "ip6") once("family", word === "ip" ? 4 : 6);
    else if (Object.hasOwn(PROTOCOL, word)) once("protocols", [PROTOCOL[word as keyof typeof PROTOCOL]]);
    else if (Object.hasOwn(ICMP, word)) {
      const [f, number] = ICMP[word as keyof typeof ICMP];
      once("family", f);
      once("protocols", [number]);
    } else if (word === "host" || word === "net") {
      const given = words[++at] ?? "";
      const net = networkOf(given.includes("/") ? prefix(given, "filter") : hostPrefix(address(given, "filter")));
      once("family", family(net));
      once("net", { prefix: net, side });
    } else if (word === "port") {
      const given = words[++at] ?? "";
      const number = Number(given);
      if (!/^\d{1,5}$/.test(given) || number < 1 || number > 65_535)
        refuse(`${JSON.stringify(given)} is not a port from 1 to 65535`);
      once("port", { number, side });
    } else refuse(`${JSON.stringify(word)} is not understood`);
  }
  const { protocols, port } = found;
  if (port !== undefined && protocols?.some((protocol) => !WITH_PORTS.includes(protocol))) refuse("icmp has no ports");
  return found;
}

const word = (offset: number, mask: number, value: number): Word => ({
  offset,
  mask: mask >>> 0,
  value: (value & mask) >>> 0,
});

/** RFC 791: a header of 20 bytes, and no fragment but the first; RFC 8200 needs neither where the protocol is asked for. */
const plainHeader = (f: Family): Word[] => (f === 4 ? [word(0, 0x0f000000, 0x05000000), word(4, 0x00001fff, 0)] : []);

const protocolWord = (f: Family, protocol: number): Word =>
  f === 4 ? word(8, 0x00ff0000, protocol << 16) : word(4, 0x0000ff00, protocol << 8);

const portWord = (f: Family, port: number, side: Side): Word => {
  const offset = f === 4 ? 20 : 40;
  return side === "source" ? word(offset, 0xffff0000, port << 16) : word(offset, 0x0000ffff, port);
};

function netWords(net: Prefix, side: Side): Word[] {
  const bytes = toBytes(addressOf(net));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = bytes.length === 4 ? (side === "source" ? 12 : 16) : side === "source" ? 8 : 24;
  const words: Word[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const bits = Math.min(Math.max(lengthOf(net) - at * 8, 0), 32);
    if (bits > 0) words.push(word(first + at, bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits), view.getUint32(at)));
  }
  return words;
}
