/** A router that does not take again what it had before. */
import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { trouble } from "#lib/vyos/answer.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import { rig, SPEC, view } from "./pusher-rig.ts";

const PROBE = { address: address("203.0.113.9"), port: 443 };
const OLD = "10.0.0.0/26";
const line = (block: number, distance: number) =>
  `protocols static route 10.0.${2 * block}.0/26 next-hop 192.0.2.11 distance ${distance}`;

/** Two routes of distance 10, and then three of 20; that of `OLD` is not taken with 10 any more. */
async function changed() {
  let distance = 10;
  let isUpgraded = false;
  let isReached = true;
  const picky = (port: Vyos): Vyos => ({
    ...port,
    async configure(commands, given) {
      const isOld = commands.some(({ op, path }) => op === "set" && path.includes(OLD) && path.at(-1) === "10");
      if (isUpgraded && isOld) throw trouble("edge1", "refused", "Set failed");
      await port.configure(commands, given);
    },
  });
  const found = rig(
    {
      spec: async (): Promise<RouterSpec> => ({ ...SPEC, static: { routes: "blocks", distance } }),
      deleteLimit: { percent: 100, paths: 0 },
      verifyMs: 1_000,
      probes: [PROBE],
    },
    picky,
    undefined,
    undefined,
    async () => isReached,
  );
  await found.one.pass(view(2), "news");
  expect(linesOf(found.router.running)).toEqual([line(0, 10), line(1, 10)]);
  return {
    ...found,
    async next(harms: boolean) {
      distance = 20;
      isUpgraded = true;
      found.router.between = () => {
        isReached = !harms;
      };
      found.later(61_000);
      await found.one.pass(view(3));
    },
  };
}
const LEFT = [line(0, 20), line(1, 10)];
const SAID = "it does not take protocols static route 10.0.0.0/26 as before, which stays as it is";

test("the rest of a push that did harm is undone and saved, and that is the end of it", async () => {
  const { router, one, later, next } = await changed();
  await next(true);
  expect(one.status).toMatchObject({
    phase: "paused",
    message: `by alpha: revision 2 was taken back: of 1 probes 1 get no answer any more: 203.0.113.9:443; ${SAID}`,
    failures: 0,
    isUnsaved: false,
  });
  expect(linesOf(router.running)).toEqual(LEFT);
  expect(linesOf(router.saved)).toEqual(LEFT);
  const tried = router.counted.commits;
  later(61_000);
  await one.pass(view(3));
  expect(one.status.phase).toBe("paused");
  expect(router.counted.commits).toBe(tried);
});

test("so is the rest on the way back by hand, and from there it goes on when it is resumed", async () => {
  const { router, one, next } = await changed();
  await next(false);
  expect(one.status.phase).toBe("in-sync");
  expect(await one.rollback(view(3), 1)).toEqual([]);
  expect(one.status).toMatchObject({ phase: "paused", message: `by alpha: back at revision 1; ${SAID}` });
  expect(linesOf(router.running)).toEqual(LEFT);
  expect(linesOf(router.saved)).toEqual(LEFT);
  await one.resume();
  await one.pass(view(3));
  expect(one.status).toMatchObject({ phase: "in-sync", refused: [] });
  expect(linesOf(router.running)).toEqual([line(0, 20), line(1, 20), line(2, 20)]);
  await one.rollback(view(3), 0);
  expect(linesOf(router.running)).toEqual(["protocols static"]);
});
