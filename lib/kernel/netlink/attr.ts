/**
 * Netlink attributes as tables: one row for each attribute, `name: [number, codec]`. The TypeScript type of the values
 * is inferred from the table, and a table is itself a codec, so tables nest.
 * Layout: linux/netlink.h, struct nlattr (v6.12): length and type, 2 bytes each, then the value, padded to 4 bytes.
 */
import { type Carried, type Codec, raw, viewOf } from "./codec.ts";
import { type Writer, writer } from "./writer.ts";

/** linux/netlink.h (v6.12) */
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

// A table holds codecs of many types side by side; `unknown` would refuse them all (a codec both takes and gives its type).
// biome-ignore lint/suspicious/noExplicitAny: the one heterogeneous table of the project
type AnyCodec = Codec<any>;
export type AttrTable = Readonly<Record<string, readonly [type: number, codec: AnyCodec]>>;
export type AttrValues<T extends AttrTable> = { readonly [Name in keyof T]?: Carried<T[Name][1]> };

export interface Attrs<T extends AttrTable> extends Codec<AttrValues<T>> {
  readonly nests: true;
  readonly table: T;
  put(values: AttrValues<T>): Uint8Array;
  /** Attributes that the table does not name are passed over. @throws RangeError */
  get(bytes: Uint8Array): AttrValues<T>;
}

/** Memory for `put`, which never runs within another: a message is made of some twenty, and allocating for each would cost more than writing. */
const scratch = writer();

/** Writes in the order of the values' keys; `undefined` is left out. */
export function attrs<const T extends AttrTable>(table: T): Attrs<T> {
  const byType = new Map(Object.entries(table).map(([name, [type, codec]]) => [type, [name, codec] as const]));
  const write = (to: Writer, values: AttrValues<T>): void => {
    for (const [name, value] of Object.entries(values)) {
      const row = table[name];
      if (row !== undefined && value !== undefined) writeAttr(to, row[0], row[1], value);
    }
  };
  const take = (values: Record<string, unknown>, type: number, bytes: Uint8Array, from: number, to: number): void => {
    const row = byType.get(type);
    if (row !== undefined) values[row[0]] = row[1].read(bytes.subarray(from, to));
  };
  const read = (bytes: Uint8Array): AttrValues<T> => walk({}, bytes, take) as AttrValues<T>;
  return {
    nests: true,
    table,
    write,
    read,
    put(values) {
      scratch.clear();
      write(scratch, values);
      return scratch.bytes();
    },
    get: read,
  };
}

/** A nest that is a table of its own, chosen by what stands beside it. */
export const nest: Codec<Uint8Array> & { readonly nests: true } = { ...raw, nests: true };

export interface Repeated<T> extends Codec<readonly T[]> {
  readonly nests: true;
}

/** A nest of attributes of one type: `NFTA_LIST_ELEM` by default. Reading takes every member, whatever its type. */
export function repeated<T>(codec: Codec<T>, type = 1): Repeated<T> {
  return {
    nests: true,
    write: (to, values) => values.forEach((value) => void writeAttr(to, type, codec, value)),
    read: (bytes) => eachAttr(bytes).map(([, value]) => codec.read(value)),
  };
}

/** Attributes whose type is a number with a meaning of its own (an index, a setting): pairs of type and value. */
export function numbered<T>(codec: Codec<T>): Codec<ReadonlyMap<number, T>> & { readonly nests: true } {
  return {
    nests: true,
    write: (to, values) => values.forEach((value, type) => void writeAttr(to, type, codec, value)),
    read: (bytes) => new Map(eachAttr(bytes).map(([type, value]) => [type, codec.read(value)])),
  };
}

function writeAttr<T>(to: Writer, type: number, codec: Codec<T>, value: T): void {
  const at = to.reserve(4);
  codec.write(to, value);
  const length = to.length - at;
  if (length > 0xffff) throw new RangeError(`attribute ${type} of ${length} bytes`);
  to.view().setUint16(at, length, true);
  to.view().setUint16(at + 2, "nests" in codec ? type | NLA_F_NESTED : type, true);
  to.align();
}

type Attr = readonly [type: number, value: Uint8Array];

/** @throws RangeError when a length leads outside */
export const eachAttr = (bytes: Uint8Array): Attr[] =>
  walk<Attr[]>([], bytes, (found, type, of, from, to) => void found.push([type, of.subarray(from, to)]));

/**
 * Gives each attribute's type and where its value lies, and returns what they were taken into. No value is made for each
 * of the many that nobody asks for. @throws RangeError when a length leads outside
 */
function walk<T>(
  into: T,
  bytes: Uint8Array,
  take: (into: T, type: number, bytes: Uint8Array, from: number, to: number) => void,
): T {
  const view = viewOf(bytes);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length)
      throw new RangeError(`attribute of ${length} bytes at ${at} of ${bytes.length}`);
    take(into, view.getUint16(at + 2, true) & NLA_TYPE_MASK, bytes, at + 4, at + length);
    at += (length + 3) & ~3;
  }
  return into;
}
