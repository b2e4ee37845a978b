/**
 * Records of the shared store, read with care: another version of Selvedge, or a person, may have written them. Fields
 * that are not known are passed over; what a node cannot do without must be right.
 */
import { type Address, address, mac, type Prefix, prefix } from "#lib/address.ts";
import {
  absent,
  entries,
  type Found,
  fields,
  flag,
  integer,
  list,
  oneOf,
  optional,
  refuse,
  reservationName,
  root,
  text,
} from "#lib/parse.ts";
import type {
  BlockRecord,
  EgressRecord,
  EndpointRecord,
  FixedRecord,
  LivenessRecord,
  NodeId,
  NodeRecord,
  ReservationRecord,
  WantRecord,
  Way,
} from "./records.ts";

/** Values that a version of ours may not know yet are left out of the list. */
const WAYS: ReadonlySet<string> = new Set<Way>(["direct", "vxlan", "gre", "wireguard"]);
const isWay = (word: string): word is Way => WAYS.has(word);

/** The value of a key, as JSON. @throws SelvedgeError config-invalid naming the key */
export function readJson(key: string, value: string): Found {
  try {
    return root(JSON.parse(value), key);
  } catch {
    return refuse({ path: key, value }, "JSON");
  }
}

const addressAt = (found: Found): Address => address(found.value, found.path);
const prefixAt = (found: Found): Prefix => prefix(found.value, found.path);
const word = (found: Found): string => (text(found) === "" ? refuse(found, "a text that is not empty") : text(found));
const PORT = { min: 1, max: 65_535 };
/** From the least that IPv4 asks of a link (RFC 791 section 3.2) to what Linux' loopback has. */
const MTU = { min: 68, max: 65_536 };

/** @throws SelvedgeError config-invalid */
export function readNode(found: Found): NodeRecord {
  const at = fields(found);
  const keys = fields(at("wireguard"));
  return {
    name: word(at("name")),
    uid: word(at("uid")),
    addresses: list(at("addresses")).map(addressAt),
    ...(absent(at("mtuBytes")) ? {} : { mtuBytes: integer(at("mtuBytes"), MTU) }),
    segments: list(at("segments")).map(prefixAt),
    ways: list(at("ways"))
      .map((each) => text(each))
      .filter(isWay),
    tunnelAddresses: list(at("tunnelAddresses")).map(addressAt),
    tunnelMac: mac(at("tunnelMac").value, at("tunnelMac").path),
    ...(absent(at("wireguard"))
      ? {}
      : {
          wireguard: { publicKeys: list(keys("publicKeys")).map(word), port: integer(keys("port"), PORT) },
        }),
    echoPort: integer(at("echoPort"), PORT),
    version: text(at("version"), { or: "" }),
  };
}

/** @throws SelvedgeError config-invalid */
export const readLiveness = (found: Found): LivenessRecord => ({ uid: word(fields(found)("uid")) });

const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER, or: 0 };

const readNodeId = (found: Found): NodeId => {
  const at = fields(found);
  return { node: word(at("node")), uid: word(at("uid")) };
};

/** @throws SelvedgeError config-invalid */
export function readBlock(found: Found): BlockRecord {
  const at = fields(found);
  return {
    pool: word(at("pool")),
    prefix: prefixAt(at("prefix")),
    node: word(at("node")),
    uid: word(at("uid")),
    lent: Object.fromEntries(
      entries(at("lent")).map(([lent, to]) => [address(lent, at("lent").path), readNodeId(to)] as const),
    ),
    fixed: list(at("fixed")).map(addressAt),
    writes: integer(at("writes"), COUNT),
  };
}

/** @throws SelvedgeError config-invalid */
export function readFixed(found: Found): FixedRecord {
  const at = fields(found);
  const node = optional(at("node"), word);
  const uid = optional(at("uid"), word);
  const hardware = optional(at("mac"), (each) => mac(each.value, each.path));
  return {
    pool: word(at("pool")),
    address: addressAt(at("address")),
    name: word(at("name")),
    ...(node === undefined ? {} : { node }),
    ...(uid === undefined ? {} : { uid }),
    ...(hardware === undefined ? {} : { mac: hardware }),
    writes: integer(at("writes"), COUNT),
  };
}

/** @throws SelvedgeError config-invalid */
export function readEgress(found: Found): EgressRecord {
  const at = fields(found);
  const node = optional(at("node"), word);
  const uid = optional(at("uid"), word);
  return {
    name: word(at("name")),
    address: addressAt(at("address")),
    ...(node === undefined ? {} : { node }),
    ...(uid === undefined ? {} : { uid }),
    holdSeconds: integer(at("holdSeconds"), { min: 1, max: 3_600 }),
    sinceMs: integer(at("sinceMs"), COUNT),
    writes: integer(at("writes"), COUNT),
  };
}

/** @throws SelvedgeError config-invalid */
export function readEndpoint(found: Found): EndpointRecord {
  const at = fields(found);
  return {
    ...readNodeId(found),
    network: word(at("network")),
    mac: mac(at("mac").value, at("mac").path),
    addresses: list(at("addresses")).map(addressAt),
    sinceMs: integer(at("sinceMs"), COUNT),
  };
}

/** @throws SelvedgeError config-invalid */
export function readReservation(found: Found): ReservationRecord {
  const at = fields(found);
  const hardware = optional(at("mac"), (each) => mac(each.value, each.path));
  return {
    pool: word(at("pool")),
    name: reservationName(at("name")),
    addresses: list(at("addresses")).map(addressAt),
    ...(hardware === undefined ? {} : { mac: hardware }),
    origin: oneOf(at("origin"), ["operator", "kept"]),
    sinceMs: integer(at("sinceMs"), COUNT),
  };
}

/** @throws SelvedgeError config-invalid */
export function readWant(found: Found): WantRecord {
  const at = fields(found);
  return {
    ...readNodeId(found),
    pool: word(at("pool")),
    family: integer(at("family"), { min: 4, max: 6 }) === 4 ? 4 : 6,
    round: integer(at("round"), COUNT),
    ...(flag(at("ahead"), { or: false }) ? { ahead: true } : {}),
  };
}
