/** The source of objects that follows a fake API server, in a hurry. */
import type { Access } from "#lib/k8s/api/access.ts";
import { apiServer } from "#lib/k8s/api/api-server.ts";
import { PATIENCE, type Patience } from "#lib/k8s/api/reflection.ts";
import type { ObjectSource } from "#lib/k8s/objects.ts";

/** What takes seconds takes milliseconds. */
export const HURRY: Patience = {
  ...PATIENCE,
  firstMs: 10,
  longestMs: 100,
  relistMs: 50,
  absentMs: 100,
  steadyMs: 1_000,
};

export const hurriedSource = (
  access: () => Promise<Access>,
  over: Partial<Patience> = {},
  definitions = false,
  configured = false,
): ObjectSource =>
  apiServer({
    access,
    userAgent: "selvedged/test",
    random: Math.random,
    definitions,
    configured,
    patience: { ...HURRY, ...over },
  });
