/** The kernel gives the inode of a namespace that has ended to the next one, at the same path: a late DEL must not mistake it. */
import { expect, test } from "@jest/globals";
import { boot, patient, request, world, wounds } from "./world.ts";

const ON = { master: "uplink", duplicateCheck: false, ipam: { ranges: [[{ subnet: "10.5.0.0/24" }]] } };

test.each(["macvlan", "ipvlan", "ptp"])(
  "%s: the link of the container that has the namespace now stays",
  async (type) => {
    const there = world();
    there.kernel.meddle(undefined, { do: "add-link", link: "uplink" });
    there.kernel.meddle(undefined, { do: "set-link", link: "uplink", up: true });
    const { verbs, ...daemon } = await boot(there);
    const path = "/run/netns/p";
    const of = (id: string) => request(id, { attachment: type, ...ON }, { netns: path });

    const inode = there.kernel.addNamespace(path);
    expect((await verbs.add(of("c1"), patient())).error).toBeUndefined();
    there.kernel.removeNamespace(path);
    expect(there.kernel.addNamespace(path, inode)).toBe(inode);
    expect((await verbs.add(of("c2"), patient())).error).toBeUndefined();
    expect((await verbs.del(of("c1"), patient())).error).toBeUndefined();
    expect((await verbs.check(of("c2"), patient())).error).toBeUndefined();
    expect((await verbs.del(of("c2"), patient())).error).toBeUndefined();
    daemon.repairs.mark(undefined);
    await daemon.repairs.pass();
    expect(await wounds(there, { verbs, ...daemon })).toEqual([]);
  },
);
