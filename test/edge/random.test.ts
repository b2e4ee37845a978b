/** Whatever the cluster and however the router is configured, each version of VyOS takes every path. */
import { expect } from "@jest/globals";
import { DIALECTS, type Version } from "#lib/edge/dialect.ts";
import { overlapping } from "#lib/edge/piece.ts";
import { render } from "#lib/edge/render/render.ts";
import { fc } from "../support/property.ts";
import { needing } from "../support/requirement.ts";
import { grammar, grammarFile } from "../support/vyos/grammar.ts";
import { clusters, routers } from "./arbitrary.ts";

needing({ file: grammarFile("1.4") }).each<Version>(["1.4", "rolling"])("VyOS %s takes what is rendered", (version) => {
  const { refusal } = grammar(version);
  fc.assert(
    fc.property(routers, clusters, (router, cluster) => {
      const pieces = render(router, cluster, DIALECTS[version]);
      expect(pieces.flatMap(({ paths }) => paths.flatMap((path) => refusal(path, "set") ?? []))).toEqual([]);
      expect(
        pieces
          .flatMap(({ at, within }) => [at, ...(within === undefined ? [] : [within])])
          .flatMap((path) => refusal(path, "delete") ?? []),
      ).toEqual([]);
      expect(overlapping(pieces)).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});
