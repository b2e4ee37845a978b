/** What a router does not take. */
import { expect, test } from "@jest/globals";
import type { RouterSpec } from "#lib/edge/router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { trouble } from "#lib/vyos/answer.ts";
import type { Vyos } from "#lib/vyos/vyos.ts";
import { rig, SPEC, view } from "./pusher-rig.ts";

/** Takes no administrative distance but these. */
const picky =
  (...distances: readonly string[]) =>
  (port: Vyos): Vyos => ({
    ...port,
    configure: async (commands) => {
      const wrong = commands.find(({ op, path }) => op === "set" && !distances.includes(path.at(-1) ?? ""));
      if (wrong !== undefined) throw trouble("edge1", "refused", `${wrong.path.join(" ")}: Set failed`);
      await port.configure(commands);
    },
  });
const ROUTE = "protocols static route 10.0.0.0/26 next-hop 192.0.2.11 distance";

function changing(first: number) {
  let distance = first;
  const spec = async (): Promise<RouterSpec> => ({ ...SPEC, static: { routes: "blocks", distance } });
  const found = rig({ spec, verifyMs: 0 }, picky("10", "20"));
  return {
    ...found,
    want: (next: number) => {
      distance = next;
      found.later(61_000);
      return found.one.pass(view(1));
    },
  };
}

test("what is refused leaves what was there before", async () => {
  const { router, one, want } = changing(10);
  await want(10);
  expect(linesOf(router.running)).toEqual([`${ROUTE} 10`]);
  await want(99);
  await want(99);
  expect(one.status).toMatchObject({
    phase: "conflict",
    conflicts: [],
    refused: [{ at: "protocols static route 10.0.0.0/26", message: `router edge1: ${ROUTE} 99: Set failed` }],
  });
  await want(99);
  expect(linesOf(router.running)).toEqual([`${ROUTE} 10`]);
});

test("a refusal is forgotten when something else is wanted, and when nothing is", async () => {
  const { router, one, want, later } = changing(99);
  await want(99);
  await want(99);
  expect(one.status.refused).toHaveLength(1);
  await want(20);
  expect(one.status).toMatchObject({ phase: "in-sync", message: "", refused: [] });
  expect(linesOf(router.running)).toEqual([`${ROUTE} 20`]);
  await want(99);
  await want(99);
  expect(one.status.phase).toBe("conflict");
  later(61_000);
  await one.pass(view(0));
  expect(one.status).toMatchObject({ phase: "in-sync", refused: [] });
  expect(linesOf(router.running)).toEqual(["protocols static"]);
});
