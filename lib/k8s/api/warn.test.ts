import { expect, test } from "@jest/globals";
import type { Warning } from "../objects.ts";
import { warn } from "./warn.ts";

const WARNING: Warning = {
  kind: "Router",
  name: "edge1",
  uid: "u",
  action: "Follow",
  reason: "Open",
  message: "edge1: no answer",
  by: "a",
  atMs: 0,
};
/** The Event that is made of it. */
async function made(of: Partial<Warning>) {
  const bodies: unknown[] = [];
  const ask = async ({ change }: { readonly change?: { readonly body: object } }) => {
    bodies.push(change?.body);
    return { status: 409, message: "it is there" };
  };
  await warn(ask, { ...WARNING, ...of });
  return bodies[0] as { readonly note: string; readonly reportingInstance: string };
}

test("a note has as much as the server takes, in whole characters", async () => {
  expect((await made({})).note).toBe("edge1: no answer");
  expect((await made({ message: "x".repeat(2_000) })).note).toBe("x".repeat(1_024));
  expect((await made({ message: "ü😀".repeat(500) })).note).toBe(`${"ü😀".repeat(170)}ü`);
});

test("a node of a long name is named as far as there is room", async () =>
  expect((await made({ by: "n".repeat(200) })).reportingInstance).toBe("n".repeat(128)));
