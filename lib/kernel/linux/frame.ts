/** The two frames that tell neighbours of an address: pure bytes. */
import { type Address, type Mac, macToBytes, toBytes } from "#lib/address.ts";

const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const ETHERTYPE_ARP = [0x08, 0x06];
const ETHERTYPE_IPV6 = [0x86, 0xdd];

/** ARP announcement, RFC 5227 section 3: a request whose sender and target are both the address. */
export function gratuitousArp(mac: Mac, address: Address): Uint8Array {
  const [hardware, protocol] = [macToBytes(mac), toBytes(address)];
  const header = [0, 1, 0x08, 0, 6, 4, 0, 1];
  const noTarget = [0, 0, 0, 0, 0, 0];
  return Uint8Array.from([
    ...BROADCAST,
    ...hardware,
    ...ETHERTYPE_ARP,
    ...header,
    ...hardware,
    ...protocol,
    ...noTarget,
    ...protocol,
  ]);
}

/** ff02::1 and the MAC address it is sent to, RFC 2464 section 7. */
const ALL_NODES = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ALL_NODES_MAC = [0x33, 0x33, 0, 0, 0, 1];
const ICMPV6 = 58;

/** Unsolicited neighbour advertisement with the override flag, RFC 4861 sections 4.4 and 7.2.6. */
export function unsolicitedNa(mac: Mac, address: Address): Uint8Array {
  const source = toBytes(address);
  const icmp = Uint8Array.from([136, 0, 0, 0, 0x20, 0, 0, 0, ...source, 2, 1, ...macToBytes(mac)]);
  const sum = checksum([...source, ...ALL_NODES, 0, 0, 0, icmp.length, 0, 0, 0, ICMPV6, ...icmp]);
  icmp[2] = sum >> 8;
  icmp[3] = sum & 0xff;
  const ipv6 = [0x60, 0, 0, 0, 0, icmp.length, ICMPV6, 255, ...source, ...ALL_NODES];
  return Uint8Array.from([...ALL_NODES_MAC, ...macToBytes(mac), ...ETHERTYPE_IPV6, ...ipv6, ...icmp]);
}

/** RFC 1071, over an even number of bytes. */
function checksum(bytes: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
