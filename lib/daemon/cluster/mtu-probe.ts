/** `selvedgectl doctor mtu`: the largest packet of each way, and one byte more, to each of the other nodes. */
import { type Family, family } from "#lib/address.ts";
import type { NodeRecord } from "#lib/cluster/records.ts";
import { type ChosenWay, isChosen } from "#lib/cluster/ways.ts";
import type { AskWhole, Passage } from "#lib/echo/whole.ts";
import type { Peer } from "./peers.ts";

export interface MtuFinding {
  readonly peer: string;
  /** Of the pods' addresses. */
  readonly family: Family;
  /** Bytes. */
  readonly mtu: number;
  /** A packet of that size. */
  readonly largest: Passage;
  /** A packet of one byte more. */
  readonly larger: Passage;
  /** The largest passes, and what is larger does not. */
  readonly isRight: boolean;
}

export interface MtuProbeOptions {
  readonly peers: Iterable<Peer>;
  readonly ask: AskWhole;
  /** For each question. */
  readonly patienceMs: number;
}

/** As many nodes at a time, each with two packets of each family. */
const AT_ONCE = 16;

/** By name and family; nothing of a peer without a way or without an address to ask. @throws SelvedgeError kernel */
export async function probeMtus({ peers, ask, patienceMs }: MtuProbeOptions): Promise<MtuFinding[]> {
  const waiting = [...peers].flatMap(({ record, ways }) =>
    ([4, 6] as const).flatMap((of) => {
      const way = ways[of];
      const address = isChosen(way) ? addressBy(record, of, way) : undefined;
      return isChosen(way) && address !== undefined ? [{ record, of, way, address }] : [];
    }),
  );
  const found: MtuFinding[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { record, of, way, address } = next;
      const question = { address, port: record.echoPort, uid: record.uid, patienceMs };
      const largest = await ask({ ...question, packetBytes: way.mtuBytes });
      const larger = await ask({ ...question, packetBytes: way.mtuBytes + 1 });
      const isRight = largest === "passes" && larger !== "passes";
      found.push({ peer: record.name, family: of, mtu: way.mtuBytes, largest, larger, isRight });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found.sort((a, b) => (a.peer === b.peer ? a.family - b.family : a.peer < b.peer ? -1 : 1));
}

/**
 * The peer's own address among pods takes the way of its pods, unless it is what a tunnel within WireGuard leads to; a
 * direct way is that of the peer's other addresses, too.
 */
function addressBy({ addresses, tunnelAddresses }: NodeRecord, of: Family, { way, to }: ChosenWay) {
  const inside = tunnelAddresses.find((address) => family(address) === of && address !== to);
  return inside ?? (way === "direct" ? addresses.find((address) => family(address) === of) : undefined);
}
