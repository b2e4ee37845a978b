/** Four keys of WireGuard that everybody knows: the private half of the first is 32 bytes of 1, and so on. */
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyFileName } from "#lib/kernel/wireguard/key.ts";

export const PUBLIC_KEYS = [
  "pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=",
  "zo060cy2M+x7cMF4FKXHbs0CloUFDTRHRboFhw5YfVk=",
  "Xf7dO2vUf2+ijuFdlp1bsOpTd01Ii9r53xxuASSz7yI=",
  "rAGyIJ6GNU+4UyN7XeD0+rE8f8v0M6YcAZNpYX/s8Qs=",
] as const;

/** A directory with the private halves of all of them. */
export function keyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "keys-"));
  PUBLIC_KEYS.forEach((publicKey, i) => {
    const path = join(directory, keyFileName(publicKey));
    writeFileSync(path, `${Buffer.alloc(32, i + 1).toString("base64")}\n`);
    chmodSync(path, 0o600);
  });
  return directory;
}
