/** An ADD that waits for another plugin holds nobody else up: neither ADDs nor repairs. */
import { expect, test } from "@jest/globals";
import { boot, type Fuse, patient, request, sound, world } from "./world.ts";

test("99 ADDs and a repair pass while one ADD is stuck in a delegated IPAM", async () => {
  const node = world();
  const ids = Array.from({ length: 99 }, (_, i) => `c${i}`);
  for (const id of ["stuck", ...ids]) node.kernel.addNamespace(`/run/netns/${id}`);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const guard: Fuse = { ...sound(), pass: async (kind) => (kind === "plugin" ? released : undefined) };
  const { verbs, repairs, core } = await boot(node, guard);
  const stuck = verbs.add(request("stuck", { ipam: { type: "fake-ipam" } }), patient());
  const replies = await Promise.all(ids.map((id) => verbs.add(request(id, {}), patient())));
  expect(replies.filter(({ error }) => error !== undefined)).toEqual([]);

  node.kernel.meddle("/run/netns/c7", { do: "delete-route", link: "eth0", to: "0.0.0.0/0" as never });
  repairs.mark(undefined);
  expect(await repairs.pass()).toEqual(["+ route 0.0.0.0/0 via 169.254.1.1 dev eth0 [pod] onlink"]);
  expect(core.table.get({ containerId: "stuck", ifname: "eth0" })?.phase).toBe("adding");

  release();
  expect((await stuck).error).toBeUndefined();
  await Promise.all(core.behind);
  expect(core.table.size).toBe(100);
});
