/** Keys of WireGuard (X25519, RFC 7748): private halves lie in files of their own, one for each, named by the public one. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SelvedgeError } from "#lib/errors.ts";
import { ERRNO } from "#native/libc.ts";
import { keyToBytes } from "./device.ts";

/** What DER puts in front of the 32 bytes (RFC 8410 section 7). */
const PRIVATE_KEY_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");
const BYTES = 32;

/** Base64. */
export function publicKeyOf(privateKey: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_KEY_HEAD, privateKey]), format: "der", type: "pkcs8" });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-BYTES).toString("base64");
}

/** Of the file with the private half: base64 as `wg genkey` writes it. */
export const keyFileName = (publicKey: string): string =>
  `${Buffer.from(publicKey, "base64").toString("base64url")}.key`;

/** @throws SelvedgeError kernel ENOENT, EINVAL (the file holds another key) */
export function readPrivateKey(directory: string, publicKey: string): Uint8Array {
  const path = join(directory, keyFileName(publicKey));
  const wrong = (errno: number, what: string) =>
    new SelvedgeError({ kind: "kernel", call: "wg set private-key", errno }, `WireGuard's key ${publicKey}: ${what}`, {
      hint: `Its private half is kept in ${path}.`,
    });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw wrong(ERRNO.ENOENT, "its private half cannot be read");
  }
  const key = keyToBytes(text.trim());
  if (key.length !== BYTES || publicKeyOf(key) !== publicKey) throw wrong(ERRNO.EINVAL, "the file holds another one");
  return key;
}

/** Makes a key and keeps its private half; the public one, in base64. @throws SelvedgeError kernel */
function makeKey(directory: string): string {
  const { privateKey } = generateKeyPairSync("x25519");
  const bytes = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-BYTES);
  const publicKey = publicKeyOf(bytes);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, keyFileName(publicKey));
  // Whole, or not at all: a crash leaves no half of a key.
  writeFileSync(`${path}.new`, `${bytes.toString("base64")}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return publicKey;
}

/** The private halves in a directory. */
export const keyFiles = (directory: string) => ({
  make: () => makeKey(directory),
  has: (publicKey: string) => existsSync(join(directory, keyFileName(publicKey))),
  forget: (publicKey: string) => rmSync(join(directory, keyFileName(publicKey)), { force: true }),
});
