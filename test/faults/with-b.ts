/** A node that has heard of another one of its cluster, b, before. */
import { address, mac, prefix } from "#lib/address.ts";
import { type NodeRecord, nodeKey } from "#lib/cluster/records.ts";
import { space } from "#lib/store/shared-memory.ts";
import type { Change } from "#lib/store/store.ts";
import { type World, world } from "./world.ts";

export const B: NodeRecord = {
  name: "b",
  uid: "uid-b",
  addresses: [address("192.0.2.2")],
  segments: [prefix("192.0.2.0/24")],
  ways: ["direct", "vxlan"],
  tunnelAddresses: [],
  tunnelMac: mac("02:00:00:00:00:02"),
  echoPort: 4_796,
  version: "test",
};

/** @param more of what was heard: records by their keys */
export async function withB(more: readonly (readonly [key: string, record: object])[]): Promise<World> {
  const it = world(space().open());
  it.kernel.reached.set(address("192.0.2.2"), {
    to: address("192.0.2.2"),
    link: "eth0",
    source: address("192.0.2.1"),
    mtuBytes: 1_500,
  });
  const known = [[nodeKey(B.name), B] as const, ...more];
  await it.store.commit(
    known.map(([name, value]): Change => ({ put: "shared", value: { name, value: JSON.stringify(value) } })),
  );
  return it;
}
