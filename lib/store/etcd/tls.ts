/** The files that connections are made with. They are renewed while the daemon runs, so they are read again at times. */
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContext } from "node:tls";
import { SelvedgeError } from "#lib/errors.ts";

export interface TlsFiles {
  /** PEM files. Without `ca` the machine's authorities count. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface Tls {
  readonly context: SecureContext;
  /** The same for the same contents. */
  readonly identity: string;
}

/** @throws SelvedgeError store: a file cannot be read, or holds something else */
export async function readTls({ ca, certificate, key }: TlsFiles): Promise<Tls> {
  const [root, own, secret] = await Promise.all([ca, certificate, key].map((file) => file && pem(file)));
  try {
    const context = createSecureContext({
      ...(root ? { ca: root } : {}),
      ...(own ? { cert: own } : {}),
      ...(secret ? { key: secret } : {}),
    });
    return { context, identity: [root, own, secret].join("\n") };
  } catch (cause) {
    const files = [ca, certificate, key].filter(Boolean).join(", ");
    throw new SelvedgeError({ kind: "store" }, `etcd: ${files}: ${(cause as Error).message}`, {
      cause,
      hint: "Each file must be PEM, and the key that of the certificate: `openssl x509 -in FILE -noout -text` shows one.",
    });
  }
}

async function pem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new SelvedgeError({ kind: "store" }, `etcd: ${(cause as Error).message}`, {
      cause,
      hint: "`cluster.store.etcd` of the configuration names the file; the daemon reads it again at the next try.",
    });
  }
}
