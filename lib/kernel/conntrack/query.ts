/** Which connections are meant: by a key that is compared with those of every connection, and as filters of the kernel. */
import { address, family, toBytes } from "#lib/address.ts";
import { type Asked, connection, FILTER } from "./wire.ts";

export interface Query {
  readonly key: string;
  /** Bytes that every such connection contains, and few others do: they are looked for before anything is decoded. */
  readonly trace: Uint8Array;
  /** Each is one walk of the kernel over its whole table. */
  readonly walks: readonly { readonly family: number; readonly values: Asked }[];
}

/** linux/socket.h */
const AF_INET = 2;
const AF_INET6 = 10;

/** linux/in.h */
const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
export type Protocol = keyof typeof PROTOCOL;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");

/** Connections that have the address at any end, before or after translation. @throws SelvedgeError config-invalid */
export function ofAddress(text: string): Query {
  const bytes = toBytes(address(text));
  const is4 = family(address(text)) === 4;
  const source = { ip: is4 ? { source4: bytes } : { source6: bytes } };
  const destination = { ip: is4 ? { destination4: bytes } : { destination6: bytes } };
  const filters: readonly Asked[] = [
    { original: source, filter: { original: FILTER.source } },
    { original: destination, filter: { original: FILTER.destination } },
    { reply: source, filter: { reply: FILTER.source } },
    { reply: destination, filter: { reply: FILTER.destination } },
  ];
  return {
    key: hex(bytes),
    trace: bytes,
    walks: filters.map((values) => ({ family: is4 ? AF_INET : AF_INET6, values })),
  };
}

/** Connections that begin at the address and that nobody has translated. @throws SelvedgeError config-invalid */
export function untranslatedFrom(text: string): Query {
  const { trace, walks } = ofAddress(text);
  return { key: plainKey(hex(trace)), trace, walks: walks.slice(0, 1) };
}

const plainKey = (source: string | undefined): string => `plain ${source}`;

/** Connections whose first packet named the port. */
export function ofPort(protocol: Protocol, port: number): Query {
  const values: Asked = {
    original: { protocol: { number: PROTOCOL[protocol], destinationPort: port } },
    filter: { original: FILTER.protocol | FILTER.destinationPort },
  };
  // The attribute CTA_PROTO_DST_PORT: length 6, type 3, the port in network order.
  const trace = Uint8Array.of(6, 0, 3, 0, port >> 8, port & 255);
  const walks = [AF_INET, AF_INET6].map((of) => ({ family: of, values }));
  return { key: portKey(PROTOCOL[protocol], port), trace, walks };
}

const portKey = (protocol: number | undefined, port: number | undefined): string => `${protocol}/${port}`;

/** Every key that a connection answers to. @throws RangeError */
export function keysOf(body: Uint8Array): Set<string> {
  const { original = {}, reply = {} } = connection.read(body).attrs;
  const ends = [original, reply].flatMap(({ ip = {} }) => Object.values(ip));
  const { number, destinationPort } = original.protocol ?? {};
  const [from, to] = endsOf(original.ip);
  const [backFrom, backTo] = endsOf(reply.ip);
  const isPlain = from === backTo && to === backFrom;
  return new Set([...ends.map(hex), portKey(number, destinationPort), ...(isPlain ? [plainKey(from)] : [])]);
}

type Ends = NonNullable<NonNullable<ReturnType<typeof connection.read>["attrs"]["original"]>["ip"]>;

const endsOf = ({ source4, source6, destination4, destination6 }: Ends = {}): (string | undefined)[] =>
  [source4 ?? source6, destination4 ?? destination6].map((bytes) => bytes && hex(bytes));
