/** What the tests of one block are played on: a subject, opened on a node of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "@jest/globals";
import { BUILT } from "../../conformance/daemon.ts";
import { makeNode, type Node } from "../../conformance/node.ts";
import type { Stage } from "../../conformance/play.ts";
import { referenceBin } from "../../conformance/reference.ts";
import type { Described, Subject } from "../../conformance/subject.ts";
import type { needing } from "../support/requirement.ts";

/** For `needing`: what our subjects run, and what the reference's do. */
export const OURS_RUN = [{ file: join(BUILT, "selvedge") }, { file: join(BUILT, "..", "cmd", "daemon.ts") }] as const;
export const REFERENCE_RUN = { file: join(referenceBin(), "bridge") } as const;

/** A daemon may take minutes to start in the guest of test/vm. */
const OPEN_LIMIT_MS = 300_000;

/**
 * Opens it before the first test of the block that calls this, unless `runner` skips, and closes it after the last; the
 * function returned is for the tests.
 * @param name at most ten characters: it begins the names of namespaces
 */
export function stage(described: Described, name: string, runner: ReturnType<typeof needing>): () => Stage {
  let directory: string | undefined;
  let node: Node | undefined;
  let subject: Subject | undefined;
  beforeAll(async () => {
    if (runner === test.skip) return;
    directory = await mkdtemp(join(tmpdir(), `${name}-`));
    node = await makeNode(name);
    subject = await described.open(node, directory);
  }, OPEN_LIMIT_MS);
  afterAll(async () => {
    await subject?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
    if (directory !== undefined) await rm(directory, { recursive: true });
  });
  return () => {
    if (node === undefined || subject === undefined) throw new Error(`${described.name} is not open`);
    return { node, subject };
  };
}
