/** Who vouches for the fake API servers of a test file: made before its tests, gone after them. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, test } from "@jest/globals";
import { type Identity, type Pki, pki } from "../../store/pki.ts";
import { needing } from "../requirement.ts";
import { type FakeApiServer, fakeApiServer } from "./api-server.ts";

/** Lets in whoever has it. */
export const TOKEN = "secret";

/** For use at the top of a file. `runs` is for its tests. */
export function authority() {
  const runs = needing({ program: "openssl" });
  let certificates: Pki | undefined;
  let identity: Identity | undefined;
  let ca = "";
  beforeAll(() => {
    if (runs === test.skip) return;
    certificates = pki();
    const issuer = certificates.authority("cluster");
    identity = issuer.issue("kube-apiserver", ["IP:127.0.0.1"]);
    ca = readFileSync(issuer.ca, "utf8");
  });
  afterAll(() => certificates?.[Symbol.dispose]());
  return {
    runs,
    /** Its own certificate, PEM. */
    get ca() {
      return ca;
    },
    async server(): Promise<FakeApiServer> {
      if (identity === undefined) throw new TypeError("an API server is made within a test");
      return await fakeApiServer(identity, TOKEN);
    },
  };
}
