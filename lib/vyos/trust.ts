/** A TLS connection to a router that is the one that was configured: signed by an authority, or with a pinned certificate. */
import { readFile } from "node:fs/promises";
import { connect, type TLSSocket } from "node:tls";
import { trouble } from "./answer.ts";

export interface Trust {
  /** PEM file; absent: the machine's authorities count. */
  readonly ca?: string;
  /** SHA-256 of the router's certificate, in hexadecimal digits, with colons or without. It counts instead of any authority, name or date. */
  readonly fingerprint?: string;
}

const CONNECT_MS = 10_000;

/** @throws SelvedgeError router unreachable, untrusted, not-vyos: nothing was sent */
export async function trusted(router: string, { hostname, port }: URL, { ca, fingerprint }: Trust): Promise<TLSSocket> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const authorities = ca === undefined || fingerprint !== undefined ? undefined : await pem(router, ca);
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({
    host,
    port: Number(port || 443),
    // A name, never an address (RFC 6066, section 3).
    ...(/[:]|^[\d.]+$/.test(host) ? {} : { servername: host }),
    minVersion: "TLSv1.2",
    rejectUnauthorized: fingerprint === undefined,
    ...(authorities === undefined ? {} : { ca: authorities }),
  });
  const fail = (why: "unreachable" | "untrusted" | "not-vyos", text: string, cause?: unknown): void => {
    socket.destroy();
    reject(trouble(router, why, text, cause));
  };
  const timer = setTimeout(
    () => fail("unreachable", `no connection to ${host} within ${CONNECT_MS / 1_000} s`),
    CONNECT_MS,
  );
  socket.once("error", (cause: NodeJS.ErrnoException) => {
    const code = cause.code ?? "";
    if (CERTIFICATE.test(code)) fail("untrusted", `its certificate is not trusted: ${cause.message}`, cause);
    else if (code.startsWith("ERR_SSL_"))
      fail("not-vyos", `it speaks no TLS that is understood: ${cause.message}`, cause);
    else fail("unreachable", cause.message, cause);
  });
  socket.once("secureConnect", () => {
    const shown = plain(socket.getPeerCertificate().fingerprint256 ?? "");
    if (fingerprint === undefined || shown === plain(fingerprint)) resolve(socket);
    else fail("untrusted", `its certificate has the fingerprint ${shown}, and ${plain(fingerprint)} is configured`);
  });
  return promise.finally(() => clearTimeout(timer));
}

/** Codes of Node (tls) and OpenSSL (X509_V_ERR_*) that are about the certificate. */
const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|ISSUER|ERR_TLS_/;

const plain = (fingerprint: string): string => fingerprint.replaceAll(":", "").toLowerCase();

async function pem(router: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw trouble(router, "untrusted", (cause as Error).message, cause);
  }
}
