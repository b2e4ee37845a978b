/** Mirrors on a node in memory whose disk or kernel refuses: nothing is copied that should not be. */
import { expect, test } from "@jest/globals";
import { endExpired, startMirror } from "#lib/daemon/mirrors.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { boot, type Fuse, patient, type Running, request, type World, world, wounds } from "./world.ts";

/** Refuses whatever it is told to, as often as it is asked. */
interface Switched extends Fuse {
  refusing: "store" | "kernel" | undefined;
  /** Steps that are let through before. */
  after: number;
}

function switched(): Switched {
  return {
    refusing: undefined,
    after: 0,
    blown: new Promise(() => {}),
    happened: false,
    async pass(kind) {
      if (kind !== this.refusing || this.after-- > 0) return;
      throw kind === "store"
        ? new SelvedgeError({ kind: "store" }, "disk full")
        : new SelvedgeError({ kind: "kernel", call: "sendmsg", errno: 12 }, "out of memory");
    },
  };
}

const PODS = ["a", "b"] as const;

async function mirrored(): Promise<{ node: World; running: Running; guard: Switched }> {
  const node = world();
  const guard = switched();
  const running = await boot(node, guard);
  for (const id of PODS) {
    node.kernel.addNamespace(`/run/netns/${id}`);
    expect((await running.verbs.add(request(id, {}), patient())).error).toBeUndefined();
  }
  await running.repairs.pass();
  return { node, running, guard };
}

const start = ({ core }: Running, containerId: string) =>
  startMirror(core, {
    key: { containerId, ifname: "eth0" },
    to: "vxlan:192.0.2.9:7",
    direction: "both",
    filter: "",
    seconds: 60,
  });

test.each([
  ["store", 0, "disk full"],
  ["kernel", 0, "out of memory"],
  ["kernel", 2, "out of memory"],
] as const)(
  "what the %s refuses after %i steps leaves nothing that is copied, nor a wish for it",
  async (refusing, after, message) => {
    const { node, running, guard } = await mirrored();
    Object.assign(guard, { refusing, after });
    await expect(start(running, "a")).rejects.toThrow(message);
    guard.refusing = undefined;
    expect([...running.core.table].flatMap(({ mirrors = [] }) => mirrors)).toEqual([]);
    running.repairs.mark(undefined);
    await running.repairs.pass();
    expect(await wounds(node, running)).toEqual([]);
    expect(await wounds(node, await boot(node))).toEqual([]);
  },
);

test("one that cannot be ended does not keep the next from ending", async () => {
  const { node, running, guard } = await mirrored();
  for (const id of PODS) await start(running, id);
  node.nowMs += 61_000;
  guard.refusing = "kernel";
  expect(await endExpired(running.core)).toEqual([]);
  expect(node.log.slice(-2)).toMatchObject(PODS.map((container) => ({ event: "repair-failed", container })));
  guard.refusing = undefined;
  expect((await endExpired(running.core)).length).toBeGreaterThan(0);
  expect(await wounds(node, running)).toEqual([]);
});
