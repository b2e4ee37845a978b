import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { definitions, FILE } from "./definitions.ts";

test("resources.yaml is what the schema of the configuration gives", () =>
  expect(readFileSync(FILE, "utf8")).toBe(definitions()));
