import { expect, test } from "@jest/globals";
import { CONFIRMS, CONTRACT } from "./contract.ts";
import { fakeRouter } from "./fake.ts";

test.each(CONTRACT)("$name", ({ run }) => run(fakeRouter().open()));
test.each(CONFIRMS)("$name", ({ run }) => run(fakeRouter({ version: "1.5.0" }).open()));
test("the contract has cases", () => expect([CONTRACT.length, CONFIRMS.length]).not.toContain(0));
