/** The frames that tell neighbours of an address or ask for one, and what such frames say: pure bytes. */
import { type Address, fromBytes, type Mac, macFromBytes, macToBytes, toBytes } from "#lib/address.ts";
import { checksum } from "./checksum.ts";

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const ETHERTYPE_ARP = [0x08, 0x06];
const ETHERTYPE_IPV6 = [0x86, 0xdd];

/** EtherTypes of linux/if_ether.h: ETH_P_ARP, ETH_P_IPV6. */
export const ETH_P = { arp: 0x0806, ipv6: 0x86dd } as const;

const NO_MAC = [0, 0, 0, 0, 0, 0];

/** An ARP request to everybody: hardware type 1 (Ethernet), RFC 826. */
const arpRequest = (hardware: Uint8Array, sender: Iterable<number>, target: Iterable<number>): Uint8Array =>
  Uint8Array.from([
    ...BROADCAST,
    ...hardware,
    ...ETHERTYPE_ARP,
    ...[0, 1, 0x08, 0, 6, 4, 0, 1],
    ...hardware,
    ...sender,
    ...NO_MAC,
    ...target,
  ]);

/** ARP announcement, RFC 5227 section 3: a request whose sender and target are both the address. */
export const gratuitousArp = (mac: Mac, address: Address): Uint8Array =>
  arpRequest(macToBytes(mac), toBytes(address), toBytes(address));

/** ARP probe, RFC 5227 section 2.1.1: a request whose sender has no address, so that nobody learns one. */
export const arpProbe = (mac: Mac, address: Address): Uint8Array =>
  arpRequest(macToBytes(mac), [0, 0, 0, 0], toBytes(address));

/** ff02::1 and the MAC address it is sent to, RFC 2464 section 7. */
const ALL_NODES = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ALL_NODES_MAC = [0x33, 0x33, 0, 0, 0, 1];
const ICMPV6 = 58;

/** Unsolicited neighbour advertisement with the override flag, RFC 4861 sections 4.4 and 7.2.6. */
export function unsolicitedNa(mac: Mac, address: Address): Uint8Array {
  const source = toBytes(address);
  const message = [ADVERTISEMENT, 0, 0, 0, 0x20, 0, 0, 0, ...source, 2, 1, ...macToBytes(mac)];
  return icmpv6(mac, { source, to: ALL_NODES, toMac: ALL_NODES_MAC, message });
}

/**
 * The question of duplicate address detection, RFC 4862 section 5.4.2: a neighbour solicitation without a sender, to the
 * solicited-node group of the address (RFC 4291 section 2.7.1).
 */
export function duplicateProbe(mac: Mac, address: Address): Uint8Array {
  const target = toBytes(address);
  const last = [...target.subarray(13)];
  const to = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...last];
  const toMac = [0x33, 0x33, 0xff, ...last];
  const message = [SOLICITATION, 0, 0, 0, 0, 0, 0, 0, ...target];
  return icmpv6(mac, { source: new Uint8Array(16), to, toMac, message });
}

/** RFC 4861 sections 4.3 and 4.4. */
const SOLICITATION = 135;
const ADVERTISEMENT = 136;

interface Icmpv6 {
  readonly source: Uint8Array;
  readonly to: readonly number[];
  readonly toMac: readonly number[];
  /** With zeros where the checksum goes. */
  readonly message: readonly number[];
}

function icmpv6(mac: Mac, { source, to, toMac, message }: Icmpv6): Uint8Array {
  const icmp = Uint8Array.from(message);
  const sum = checksum([...source, ...to, 0, 0, 0, icmp.length, 0, 0, 0, ICMPV6, ...icmp]);
  icmp[2] = sum >> 8;
  icmp[3] = sum & 0xff;
  const ipv6 = [0x60, 0, 0, 0, 0, icmp.length, ICMPV6, 255, ...source, ...to];
  return Uint8Array.from([...toMac, ...macToBytes(mac), ...ETHERTYPE_IPV6, ...ipv6, ...icmp]);
}

/**
 * The address that a frame claims, and by whom: the sender of any ARP packet, the target of an ARP probe or of a
 * neighbour solicitation without a sender (somebody else is about to take it), and that of an advertisement.
 */
export function claimOf(frame: Uint8Array): { readonly address: Address; readonly mac: Mac } | undefined {
  if (frame.length < 42) return undefined;
  const mac = macFromBytes(frame.subarray(6, 12));
  const etherType = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  if (etherType === ETH_P.arp) {
    const sender = frame.subarray(28, 32);
    const asks = frame[21] === 1;
    const address = sender.some((byte) => byte !== 0) ? sender : asks ? frame.subarray(38, 42) : undefined;
    return address === undefined
      ? undefined
      : { address: fromBytes(address), mac: macFromBytes(frame.subarray(22, 28)) };
  }
  if (etherType !== ETH_P.ipv6 || frame.length < 78 || frame[20] !== ICMPV6) return undefined;
  const unspecified = frame.subarray(22, 38).every((byte) => byte === 0);
  const type = frame[54];
  const claims = type === ADVERTISEMENT || (type === SOLICITATION && unspecified);
  return claims ? { address: fromBytes(frame.subarray(62, 78)), mac } : undefined;
}
