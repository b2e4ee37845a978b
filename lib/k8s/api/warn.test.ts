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
  return bodies[0] as { readonly metadata: { readonly name: string }; readonly note: string };
}

/** RFC 1123, "subdomain". */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
test.each(["edge1", "a".repeat(253), `${"a".repeat(235)}-.${"b".repeat(16)}`])(
  "of %s there is an Event",
  async (name) => {
    const { metadata } = await made({ name });
    expect(metadata.name).toMatch(NAME);
    expect(metadata.name.length).toBeLessThanOrEqual(253);
    expect((await made({ name, reason: "Held" })).metadata.name).not.toBe(metadata.name);
  },
);

test("a note has as much as the server takes, in whole characters", async () => {
  expect((await made({})).note).toBe("edge1: no answer");
  expect((await made({ message: "x".repeat(2_000) })).note).toBe("x".repeat(1_024));
  expect((await made({ message: "ü😀".repeat(500) })).note).toBe("ü😀".repeat(170) + "ü");
});
