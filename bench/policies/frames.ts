/** Packets in a file that tcpreplay sends: UDP from one pod to another, each the first of a connection of its own. */
import { writeFileSync } from "node:fs";
import { type Address, type Mac, macToBytes, toBytes } from "#lib/address.ts";
import { checksum } from "#lib/kernel/linux/checksum.ts";

export interface End {
  readonly address: Address;
  readonly mac: Mac;
}

const FIRST_PORT = 10_000;
const PAYLOAD_BYTES = 18;
const [ETHERNET, IPV4, UDP] = [14, 20, 8];
const SNAPLEN = 65_535;
const LINKTYPE_ETHERNET = 1;

/** A savefile of libpcap (pcap-savefile(5)). @param count at most 50,000 */
export function writeFrames(file: string, from: End, to: End, port: number, count: number): void {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAPLEN, 16);
  header.writeUInt32LE(LINKTYPE_ETHERNET, 20);
  const records = Array.from({ length: count }, (_, n) => {
    const packet = frame(from, to, FIRST_PORT + n, port);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(packet.length, 8);
    record.writeUInt32LE(packet.length, 12);
    return Buffer.concat([record, packet]);
  });
  writeFileSync(file, Buffer.concat([header, ...records]));
}

/** RFC 791, RFC 768; the checksum of UDP may be left out over IPv4. */
function frame(from: End, to: End, source: number, destination: number): Buffer {
  const bytes = Buffer.alloc(ETHERNET + IPV4 + UDP + PAYLOAD_BYTES);
  bytes.set(macToBytes(to.mac), 0);
  bytes.set(macToBytes(from.mac), 6);
  bytes.writeUInt16BE(0x0800, 12);
  const ip = bytes.subarray(ETHERNET, ETHERNET + IPV4);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt16BE(IPV4 + UDP + PAYLOAD_BYTES, 2);
  ip.writeUInt8(64, 8);
  ip.writeUInt8(17, 9);
  ip.set(toBytes(from.address), 12);
  ip.set(toBytes(to.address), 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const udp = bytes.subarray(ETHERNET + IPV4);
  udp.writeUInt16BE(source, 0);
  udp.writeUInt16BE(destination, 2);
  udp.writeUInt16BE(UDP + PAYLOAD_BYTES, 4);
  return bytes;
}
