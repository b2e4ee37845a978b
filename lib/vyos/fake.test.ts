import { expect, test } from "@jest/globals";
import { CONTRACT } from "./contract.ts";
import { fakeRouter } from "./fake.ts";

test.each(CONTRACT)("$name", ({ run }) => run(fakeRouter().open()));
test("the contract has cases", () => expect(CONTRACT.length).toBeGreaterThan(0));
