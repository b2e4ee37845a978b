import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import type { WantRecord } from "#lib/cluster/records.ts";
import type { ShareUse } from "#lib/ipam/sharing.ts";
import type { Claims } from "./claims.ts";
import type { Ground } from "./ground.ts";
import { needs } from "./needs.ts";

const SELF = { node: "a", uid: "u-a" };
const BLOCK = prefix("10.1.0.0/26");

test("what is free is counted once for all who want some, and again after something was given", async () => {
  const names = Array.from({ length: 100 }, (_, i) => `n${i}`);
  const alive = new Map(names.map((node) => [node, `u-${node}`]));
  const wants = (round: number): WantRecord[] =>
    names.map((node) => ({ pool: "std", family: 4, node, uid: `u-${node}`, round }));
  let said = wants(0);
  let free = 0;
  let counted = 0;
  const lent: number[] = [];
  const use = (): ShareUse => ({
    share: { pool: "std", prefix: BLOCK, without: [] },
    size: 64,
    used: 60,
    cooling: 0,
    free,
  });
  const ground = {
    self: SELF,
    clockMs: () => 0,
    leaving: new Set(),
    ipam: {
      demands: () => [],
      uses(pool?: string) {
        if (pool !== undefined) counted += 1;
        return [use()];
      },
    },
    ledger: {
      joined: new Map([[SELF.node, SELF.uid]]),
      alive,
      wants: () => said,
      block: () => undefined,
      blocks: () => new Map([[BLOCK, SELF]]),
    },
  } as unknown as Ground;
  const claims = {
    async lend(_pool: string, _prefix: string, _to: object, count: number) {
      lent.push(count);
      free -= count;
      return count;
    },
  } as unknown as Claims;
  const { tend } = needs(ground, claims);
  await tend();
  expect([counted, lent]).toEqual([1, []]);
  free = 3;
  said = wants(1);
  await tend();
  // Half of what there is each time, and to the end the last.
  expect([counted, lent]).toEqual([4, [2, 1]]);
});
