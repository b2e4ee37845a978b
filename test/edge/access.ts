/** By what nodes and routers know each other: an authority of certificates, and the key of the routers' API in a file. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Authority, pki } from "../store/pki.ts";
import { KEY } from "./router.ts";

export interface Access extends Disposable {
  readonly authority: Authority;
  /** Of a router, in a node's configuration. */
  readonly settings: { readonly key: { readonly file: string }; readonly trust: { readonly ca: string } };
  /** Goes with it; for further secrets. */
  readonly directory: string;
}

export function makeAccess(): Access {
  const certificates = pki();
  const { directory } = certificates;
  const authority = certificates.authority("edge-ca");
  const file = join(directory, "api-key");
  writeFileSync(file, `${KEY}\n`);
  return {
    authority,
    directory,
    settings: { key: { file }, trust: { ca: authority.ca } },
    [Symbol.dispose]: () => certificates[Symbol.dispose](),
  };
}
