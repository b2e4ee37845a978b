/** The part of Bun's foreign function interface that is used here. */
declare module "bun:ffi" {
  type Kind = "i32" | "u64" | "ptr";
  export function dlopen<Name extends string>(
    path: string,
    symbols: Readonly<Record<Name, { readonly args: readonly Kind[]; readonly returns: "i32" }>>,
  ): { readonly symbols: Readonly<Record<Name, (...args: readonly (number | bigint | Uint8Array)[]) => number>> };
}
