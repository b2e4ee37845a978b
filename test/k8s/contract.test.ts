/** Every source of objects does what the contract says: a directory of manifests, and an API server. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { CONTRACT, type Manifest } from "#lib/k8s/contract.ts";
import { manifestDirectory } from "#lib/k8s/directory.ts";
import { authority, TOKEN } from "../support/kubernetes/authority.ts";
import { hurriedSource } from "../support/kubernetes/source.ts";

test.each(CONTRACT)("a directory: $name", async ({ run }) => {
  const top = mkdtempSync(join(tmpdir(), "contract-"));
  const [there, elsewhere] = [join(top, "manifests"), join(top, "away")];
  let directory = elsewhere;
  const move = async (to: string): Promise<void> => {
    renameSync(directory, to);
    directory = to;
  };
  const nameOf = ({ kind, metadata }: Manifest): string => `${kind}-${metadata.name}.json`;
  try {
    renameSync(mkdtempSync(join(top, "new-")), elsewhere);
    await move(there);
    await run({
      source: manifestDirectory(there),
      async put(manifest) {
        writeFileSync(join(top, nameOf(manifest)), JSON.stringify(manifest));
        renameSync(join(top, nameOf(manifest)), join(directory, nameOf(manifest)));
      },
      remove: async (manifest) => rmSync(join(directory, nameOf(manifest))),
      away: () => move(elsewhere),
      back: () => move(there),
    });
  } finally {
    rmSync(top, { recursive: true });
  }
});

const cluster = authority();
cluster.runs.each(CONTRACT)("an API server: $name", async ({ run }) => {
  await using server = await cluster.server();
  await run({
    source: hurriedSource(async () => ({ server: new URL(server.url), ca: cluster.ca, token: TOKEN })),
    put: async (manifest) => server.objects.put({ ...manifest }),
    remove: async (manifest) => server.objects.remove({ ...manifest }),
    away: server.away,
    back: server.back,
  });
  expect(server.mistakes).toEqual([]);
});

test("the contract has cases", () => expect(CONTRACT.length).toBeGreaterThan(2));
