/** What is to be undone is undone, however often that fails at first. */
import { expect, test } from "@jest/globals";
import { address, prefix } from "#lib/address.ts";
import { lineOf } from "#lib/edge/path.ts";
import type { RouterSpec } from "#lib/edge/router.ts";
import { sampleBgp } from "#lib/edge/sample-router.ts";
import { linesOf } from "#lib/edge/tree.ts";
import { trouble } from "#lib/vyos/answer.ts";
import type { FakeRouter } from "#lib/vyos/fake.ts";
import { rig, SPEC, view } from "./pusher-rig.ts";

const FIRST = "protocols static route 10.0.0.0/26 next-hop 192.0.2.11";
const HARM = "revision 2 was taken back: of 1 static routes 1 are not used any more: 10.0.0.0/26";

const used = (router: FakeRouter, isUsed: boolean) => {
  router.tells = (path) =>
    path[0] === "ip" ? `${isUsed ? "S>*" : "S  "} 10.0.0.0/26 [1/0] via 192.0.2.11, eth1, weight 1, 00:00:05` : "";
};

/** A second push does harm, and something is in the way of what undoes it. */
async function hindered(hinder: (router: FakeRouter) => void) {
  const found = rig({ verifyMs: 1_000 });
  const { router, one } = found;
  used(router, true);
  await one.pass(view(1), "news");
  router.between = () => {
    router.between = undefined;
    used(router, false);
    hinder(router);
  };
  await one.pass(view(2), "news");
  return found;
}

test("another's commit is in the way: it is not said to be done, and is done when that is over", async () => {
  const { router, one, later } = await hindered((of) => of.plan({ refuse: "locked" }, { refuse: "locked" }));
  expect(one.status).toMatchObject({
    phase: "failing",
    message: `not done yet: by alpha: ${HARM}; router edge1: refused`,
  });
  expect(linesOf(router.running)).toHaveLength(2);
  later(2_000);
  await one.pass(view(2));
  expect(one.status.phase).toBe("failing");
  later(4_000);
  await one.pass(view(2));
  expect(one.status).toMatchObject({ phase: "paused", message: `by alpha: ${HARM}`, failures: 0 });
  expect(linesOf(router.running)).toEqual([FIRST]);
  expect(linesOf(router.saved)).toEqual([FIRST]);
});

test("another daemon goes on with it", async () => {
  const { router, make, keeper } = await hindered((of) => of.plan({ partly: ["protocols", "static"] }));
  expect(linesOf(router.running)).toHaveLength(2);
  await keeper.remove("edge/edge1/writer");
  const other = make("beta");
  await other.pass(view(2));
  expect(other.status).toMatchObject({ phase: "paused", message: `by alpha: ${HARM}` });
  expect(linesOf(router.running)).toEqual([FIRST]);
});

test("back by hand on a router that cannot be reached: it fails, is not said to be done, and is done later", async () => {
  const { router, one, later } = rig();
  await one.pass(view(1), "news");
  await one.pass(view(2), "news");
  router.down = "unreachable";
  await expect(one.rollback(view(2), 1)).rejects.toThrow(
    "not done yet: by alpha: back at revision 1; router edge1: it is down",
  );
  expect(one.status.phase).toBe("failing");
  router.down = undefined;
  later(2_000);
  await one.pass(view(2));
  expect(one.status).toMatchObject({ phase: "paused", message: "by alpha: back at revision 1" });
  expect(linesOf(router.running)).toEqual([FIRST]);
});

test("what is resumed meanwhile is not undone any more", async () => {
  const { router, one } = await hindered((of) => of.plan({ refuse: "locked" }));
  await one.resume();
  await one.pass(view(2));
  expect(one.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(2);
});

test("there is no way to a revision that is not there yet", async () => {
  const { router, one } = rig();
  await one.pass(view(1), "news");
  await expect(one.rollback(view(1), 2)).rejects.toThrow(
    "revision: 2 is not one that can be gone back to; those are 0 to 1",
  );
  await one.pass(view(2), "news");
  expect(one.status.phase).toBe("in-sync");
  expect(linesOf(router.running)).toHaveLength(2);
});

test("back past a new password: the sessions keep the one that the nodes have", async () => {
  let password = "of-yesterday";
  const bgp = { ...sampleBgp(), listen: [prefix("192.0.2.0/24")] };
  const spec = async (): Promise<RouterSpec> => {
    const { static: _, ...rest } = SPEC;
    return { ...rest, bgp: { ...bgp, password } };
  };
  const { router, make, keeper, later } = rig({ spec, verifyMs: 0 });
  await make("alpha").pass(view(1), "news");
  password = "of-today";
  later(61_000);
  // Another daemon, which has not seen the old one.
  await keeper.remove("edge/edge1/writer");
  const one = make("beta");
  await one.pass(view(1));
  const line = lineOf(["protocols", "bgp", "peer-group", "SELVEDGE", "password", "of-today"]);
  expect(linesOf(router.running)).toContain(line);
  expect(await one.rollback(view(1), 1)).toHaveLength(1);
  expect(linesOf(router.running)).toContain(line);
});

test("a router that tells nothing any more after a push is not as well as it was", async () => {
  const { router, one, later } = await hindered((of) => {
    of.tells = () => {
      throw trouble("edge1", "busy", "An internal error occured.");
    };
  });
  expect(one.status).toMatchObject({
    phase: "paused",
    message:
      "by alpha: revision 2 was taken back: it does not tell any more what works: router edge1: An internal error occured.",
  });
  expect(linesOf(router.running)).toEqual([FIRST]);
  await one.resume();
  // Before a push it is waited for.
  await one.pass(view(2));
  expect(one.status).toMatchObject({ phase: "failing", message: "router edge1: An internal error occured." });
  expect(linesOf(router.running)).toEqual([FIRST]);
  used(router, true);
  later(2_000);
  await one.pass(view(2));
  expect(one.status.phase).toBe("in-sync");
});

test.each([
  [1, "paused", "by alpha: revision 2 was taken back: of 1 probes 1 get no answer any more: 203.0.113.9:443"],
  [2, "in-sync", ""],
])("of what is reached through the router, %i, one is not any more", async (reached, phase, message) => {
  const ends = [9, 10, 11].map((n) => ({ address: address(`203.0.113.${n}`), port: 443 }));
  const there = new Set(ends.slice(0, reached));
  const { router, one } = rig({ probes: ends, verifyMs: 1_000 }, undefined, undefined, undefined, async (end) =>
    there.has(end),
  );
  await one.pass(view(1), "news");
  const [first] = ends;
  router.between = () => {
    router.between = undefined;
    if (first !== undefined) there.delete(first);
  };
  await one.pass(view(2), "news");
  expect(one.status).toMatchObject({ phase, message });
  expect(linesOf(router.running)).toHaveLength(phase === "paused" ? 1 : 2);
});
