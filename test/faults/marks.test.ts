/** What is heard while a pass waits is the next one's, and what the kernel does not tell now is asked for again. */
import { expect, test } from "@jest/globals";
import { SelvedgeError } from "#lib/errors.ts";
import { fakeKernel } from "#lib/kernel/fake.ts";
import { boot, patient, request, type World, world } from "./world.ts";

const UPLINK = "uplink";

/** What happens when the kernel is asked next, once. */
function interrupted(there: World) {
  const next: { facts?: () => void; look?: () => void } = {};
  const { facts, look } = there.kernel;
  const meet = (what: "facts" | "look") => {
    const happens = next[what];
    delete next[what];
    happens?.();
  };
  const kernel: World["kernel"] = {
    ...there.kernel,
    async facts() {
      const seen = await facts();
      meet("facts");
      return seen;
    },
    async look(scope, wanted) {
      const seen = await look(scope, wanted);
      meet("look");
      return seen;
    },
  };
  return { there: { ...there, kernel }, next };
}

/** A node at rest, with a pod whose link a stranger may take. */
async function resting() {
  const { there, next } = interrupted({ ...world(), kernel: fakeKernel({ uplink: UPLINK }) });
  there.kernel.addNamespace("/run/netns/c1");
  const daemon = await boot(there);
  expect((await daemon.verbs.add(request("c1", {}), patient())).error).toBeUndefined();
  await daemon.repairs.pass();
  expect(await daemon.repairs.pass()).toEqual([]);
  return { there, next, ...daemon };
}

test("a full pass that is asked for while another looks at the node is made", async () => {
  const { next, repairs, there } = await resting();
  for (const what of ["look", "facts"] as const) {
    const before = repairs.last.atMs;
    // Both come while it waits: the switches are looked at first, the node when its link has changed.
    there.nowMs += 1_000;
    if (what === "facts") repairs.mark({ where: "host", link: UPLINK });
    next[what] = () => repairs.mark(undefined);
    await repairs.pass();
    expect(next[what]).toBeUndefined();
    expect(repairs.last.atMs).toBe(before);
    there.nowMs += 1;
    await repairs.pass();
    expect(repairs.last.atMs).toBe(there.nowMs);
  }
});

test("the node is asked again when its link changed after it had answered, and when it gave no answer", async () => {
  const { next, repairs, there } = await resting();
  const uplink = { where: "host", link: UPLINK } as const;
  const asked = () => {
    let isAsked = false;
    next.facts = () => {
      isAsked = true;
    };
    return async () => {
      await repairs.pass();
      delete next.facts;
      return isAsked;
    };
  };
  repairs.mark(uplink);
  next.facts = () => repairs.mark(uplink);
  await repairs.pass();
  expect(await asked()()).toBe(true);
  expect(await asked()()).toBe(false);

  repairs.mark(uplink);
  next.facts = () => {
    throw new SelvedgeError({ kind: "kernel", call: "sendmsg", errno: 12 }, "out of memory");
  };
  await repairs.pass();
  expect(there.log).toContainEqual({ event: "repair-failed", container: "", ifname: "", message: "out of memory" });
  expect(await asked()()).toBe(true);
  expect(await asked()()).toBe(false);
});

test("a firewall that changes while the node is asked what it is like has all its elements looked at", async () => {
  const { next, repairs, core } = await resting();
  const looked: string[] = [];
  const repair = (what: string) => async () => {
    looked.push(what);
    return [];
  };
  const looks = { repairAll: repair("all"), repairShare: repair("share") };
  Object.assign(core, { policies: { chains: () => [], isDoubtful: false, isRoundOver: false, ...looks } });
  repairs.mark({ where: "host", link: UPLINK });
  next.facts = () => repairs.mark({ where: "nftables" });
  await repairs.pass();
  repairs.mark({ where: "host", link: UPLINK });
  await repairs.pass();
  expect(looked).toEqual(["all", "share"]);
});
