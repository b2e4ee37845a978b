/** C structures as tables: one row for each member in its order, padding written out as members of its own. */
import { type Carried, type Fixed, viewOf } from "./codec.ts";

// biome-ignore lint/suspicious/noExplicitAny: as in attr.ts, members of many types side by side
export type StructTable = Readonly<Record<string, Fixed<any>>>;
export type StructValues<T extends StructTable> = { readonly [Name in keyof T]: Carried<T[Name]> };

export interface Struct<T extends StructTable> extends Fixed<Partial<StructValues<T>>> {
  /** Members that are left out are zero. */
  read(bytes: Uint8Array): StructValues<T>;
  readAt(view: DataView, at: number): StructValues<T>;
}

export function struct<const T extends StructTable>(table: T): Struct<T> {
  let size = 0;
  const members = Object.entries(table).map(([name, codec]) => {
    const at = size;
    size += codec.size;
    return { name, codec, at };
  });
  const readAt = (view: DataView, from: number): StructValues<T> => {
    const values: Record<string, unknown> = {};
    for (const { name, codec, at } of members) values[name] = codec.readAt(view, from + at);
    return values as StructValues<T>;
  };
  return {
    size,
    write(to, values) {
      for (const { name, codec } of members) {
        const value = values[name];
        if (value === undefined) to.reserve(codec.size);
        else codec.write(to, value);
      }
    },
    read(bytes) {
      if (bytes.length < size) throw new RangeError(`a structure of ${bytes.length} bytes instead of ${size}`);
      return readAt(viewOf(bytes), 0);
    },
    readAt,
  };
}
