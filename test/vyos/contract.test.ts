/** The client of the HTTP API against the stand-in of each version, and against a router of one's own. */
import { expect, test } from "@jest/globals";
import type { Version } from "#lib/edge/dialect.ts";
import { CONFIRMS, CONTRACT, REFUSALS } from "#lib/vyos/contract.ts";
import { vyos } from "#lib/vyos/http.ts";
import { pki } from "../store/pki.ts";
import { needing } from "../support/requirement.ts";
import { grammarFile } from "../support/vyos/grammar.ts";
import { standin } from "../support/vyos/standin.ts";

const CASES = [...CONTRACT, ...REFUSALS];
const ROWS = (["1.4", "rolling"] as const).flatMap((version) =>
  [...CASES, ...(version === "1.4" ? [] : CONFIRMS)].map((each) => [version, each.name, each.run] as const),
);

needing({ file: grammarFile("1.4") }, { program: "openssl" }).each(ROWS)(
  "VyOS %s: %s",
  async (version: Version, _name, run) => {
    using certificates = pki();
    const authority = certificates.authority("edge-ca");
    await using router = await standin(version, authority.issue("edge1", ["IP:127.0.0.1"]));
    await run(
      vyos({
        name: "edge1",
        url: router.url,
        key: async () => router.key,
        trust: { ca: authority.ca },
        commitMs: 60_000,
      }),
    );
  },
);

/**
 * A router of one's own: `VYOS_URL=https://192.0.2.1 VYOS_KEY=… VYOS_FINGERPRINT=… test/jest.sh test/vyos/contract`. Two routes to
 * 203.0.113.0/24 (RFC 5737) and a prefix list come and go; a router with BGP fails the case of the failing commit.
 */
const { VYOS_URL: url, VYOS_KEY: key = "", VYOS_FINGERPRINT: fingerprint } = process.env;
if (url !== undefined)
  test.each(CASES)(
    `${url}: $name`,
    ({ run }) =>
      run(
        vyos({
          name: "own",
          url,
          key: async () => key,
          trust: fingerprint === undefined ? {} : { fingerprint },
          commitMs: 120_000,
        }),
      ),
    300_000,
  );

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(5));
