import { expect, test } from "@jest/globals";
import { CASES, type World } from "./shared-contract.ts";
import { space } from "./shared-memory.ts";

function world(): World {
  const livenessSeconds = 0.05;
  const store = space();
  return {
    livenessSeconds,
    open: async () => store.open({ livenessSeconds }),
    compact: async () => store.compact(),
    stop: async () => store.stop(),
    start: async () => store.start(),
  };
}

test("the contract has cases", () => expect(CASES.length).toBeGreaterThan(10));

test.each(CASES)("%s", (_name, run) => run(world()));
