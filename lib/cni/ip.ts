/** An address that is asked for, with or without the length of its prefix. */
import { type Address, address, type Prefix, prefix } from "#lib/address.ts";

/** @throws SelvedgeError config-invalid naming `path` */
export const ip = (value: unknown, path: string): Address | Prefix =>
  typeof value === "string" && value.includes("/") ? prefix(value, path) : address(value, path);
