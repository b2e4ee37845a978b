/** Certificates that a test makes, in a directory of its own. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** Its own certificate. */
  readonly ca: string;
  /** @param names as in a certificate: `IP:127.0.0.1`, `DNS:etcd.example`. @param days fewer than 0: expired */
  issue(commonName: string, names?: readonly string[], days?: number): Identity;
}

export interface Pki extends Disposable {
  readonly directory: string;
  authority(name: string): Authority;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export function pki(): Pki {
  const directory = mkdtempSync(join(tmpdir(), "selvedge-pki-"));
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
  let count = 0;
  return {
    directory,
    authority(name) {
      const [ca, caKey] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
      openssl("req", "-x509", ...KEY, "-keyout", caKey, "-out", ca, "-subj", `/CN=${name}`, "-days", "2");
      return {
        ca,
        issue(commonName, names = [], days = 2) {
          const [request, certificate, key, extensions] = ["csr", "pem", "key", "ext"].map((ending) =>
            join(directory, `${name}-${++count}.${ending}`),
          ) as [string, string, string, string];
          openssl("req", ...KEY, "-keyout", key, "-out", request, "-subj", `/CN=${commonName}`);
          writeFileSync(extensions, names.length === 0 ? "" : `subjectAltName=${names.join(",")}\n`);
          const signed = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-extfile", extensions];
          openssl("x509", "-req", "-in", request, ...signed, "-days", `${days}`, "-out", certificate);
          return { certificate, key };
        },
      };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  };
}
