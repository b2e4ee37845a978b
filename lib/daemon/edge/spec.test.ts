import { expect, test } from "@jest/globals";
import { parseConfig } from "#lib/config/config.ts";
import { isFailure } from "#lib/errors.ts";
import { specOf } from "./spec.ts";

const [ROUTER] =
  parseConfig(
    "edge: {routers: [{name: edge1, url: https://192.0.2.1, key: {file: /k}, bgp: {as: 1, nodesAs: 2, password: {file: /p}}}]}",
  ).edge?.routers ?? [];

async function passwordOf(line: string): Promise<string | undefined> {
  if (ROUTER === undefined) throw new TypeError("the configuration has a router");
  return (await specOf(ROUTER, [], async () => line)).bgp?.password;
}

test("a password of BGP is one word", async () => {
  expect(await passwordOf("a-l0ng/s3cret")).toBe("a-l0ng/s3cret");
  expect(await passwordOf("x".repeat(80))).toBe("x".repeat(80));
});

test.each(["two words", "tab\tbed", "what?", "söt", "x".repeat(81)])("%j is none, and is not told", async (line) => {
  try {
    await passwordOf(line);
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    expect(error.message).toBe(
      "edge: the password in /p must be 1 to 80 printable ASCII characters without spaces and question marks",
    );
    return;
  }
  throw new Error("taken");
});
