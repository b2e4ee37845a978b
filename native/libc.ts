/**
 * The C library through koffi: a call either returns its result or throws with the errno that it left behind.
 * Symbols are taken from the running process (Node is linked to a C library already), so glibc and musl both serve,
 * and loading twice in one process (Jest gives each test file its own registry) only binds the symbols again.
 */
import { getSystemErrorName } from "node:util";
import koffi from "koffi";
import { SelvedgeError } from "#lib/errors.ts";

const library = koffi.load(null);

/** A bound C function. Arguments are numbers, bigints and byte arrays; the result is a number. */
export type CFunction = (...args: (number | bigint | Uint8Array | null)[]) => number;
export type AsyncCFunction = (...args: [...(number | bigint | Uint8Array | null)[], AsyncResult]) => void;
type AsyncResult = (error: unknown, result: number) => void;

/** Binds a C function that reports failure by -1 and errno. `prototype` is C: `int close(int fd)`. */
export function bind(prototype: string): CFunction & { readonly async: AsyncCFunction } {
  return library.func(prototype);
}

/** The errno of the latest call on this thread; read it before any other call. */
export const errno = (): number => koffi.errno();

/** @throws SelvedgeError kernel, when `result` is negative; must directly follow the call. */
export function checked(call: string, result: number): number {
  if (result < 0) throw refused(call, errno());
  return result;
}

/** `code` is a positive number of errno.h. `text` is what the kernel said beyond it. */
export function refused(call: string, code: number, text?: string): SelvedgeError {
  const name = code > 0 ? getSystemErrorName(-code) : "no errno";
  const more = text === undefined || text === "" ? "" : `: ${text}`;
  return new SelvedgeError({ kind: "kernel", call, errno: code }, `${call}: ${name}${more}`);
}

/**
 * Bytes whose address stays the same for their whole life, for structures that C keeps pointers to
 * (small typed arrays may live on V8's heap and move).
 */
export const fixedBytes = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(Math.max(length, 128)));

export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes);

/** As C takes a text. */
export const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** asm-generic/errno-base.h and errno.h (v6.12): the numbers that decisions depend on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EOPNOTSUPP: 95,
  EMSGSIZE: 90,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ENOBUFS: 105,
  ENOTCONN: 107,
  EHOSTUNREACH: 113,
} as const;
