import { expect, test } from "@jest/globals";
import { adminEdge } from "./admin-edge.ts";
import type { Core } from "./core.ts";

const CALL = { signal: new AbortController().signal, deadlineMs: undefined };

test("a node that does not hear of the cluster leaves the writer its role", async () => {
  let taken = 0;
  const router = {
    beWriter: async () => {
      taken += 1;
    },
  };
  const edge = { alone: (_: string, work: (on: typeof router) => Promise<unknown>) => work(router) };
  const core = { cluster: { informed: true, connected: false }, edge };
  const admin = adminEdge(core as unknown as Core);
  const name = "edge1";
  const refused = "the cluster is not known yet, or the shared store is away";
  await expect(admin.applyRouter({ name }, CALL)).rejects.toThrow(refused);
  await expect(admin.rollBackRouter({ name, revision: 0 }, CALL)).rejects.toThrow(refused);
  expect(taken).toBe(0);
});
