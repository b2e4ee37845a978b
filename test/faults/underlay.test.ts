/** What is refused of attachments on a link of the node, before anything is made, and duplicates on the wire. */
import { expect, test } from "@jest/globals";
import { address, mac } from "#lib/address.ts";
import { boot, patient, type Running, request, type World, world, wounds } from "./world.ts";

const ON = { master: "uplink", ipam: { ranges: [[{ subnet: "10.5.0.0/24", rangeStart: "10.5.0.5" }]] } };

async function node(): Promise<{ there: World; daemon: Running }> {
  const there = world();
  for (const link of ["uplink", "sleeping"]) there.kernel.meddle(undefined, { do: "add-link", link });
  there.kernel.meddle(undefined, { do: "set-link", link: "uplink", up: true });
  there.kernel.meddle(undefined, { do: "set-link", link: "sleeping", up: false });
  for (const pod of ["c1", "c2"]) there.kernel.addNamespace(`/run/netns/${pod}`);
  return { there, daemon: await boot(there) };
}

const add = async ({ verbs }: Running, pod: string, config: Readonly<Record<string, unknown>>) =>
  verbs.add(request(pod, config), patient());
const resultOf = ({ result }: Awaited<ReturnType<typeof add>>) => JSON.parse(Buffer.from(result ?? "").toString());

test.each(["macvlan", "ipvlan", "vlan"])("%s: an address that somebody on the wire holds is not used", async (type) => {
  const { there, daemon } = await node();
  there.kernel.neighbours.set(address("10.5.0.5"), mac("06:00:00:00:00:99"));
  const config = { attachment: type, vlanId: 7, ...ON };
  const refused = await add(daemon, "c1", config);
  expect(refused.error).toMatchObject({
    code: 102,
    msg: "address 10.5.0.5 is in use on the network by 06:00:00:00:00:99",
  });
  expect(there.log.filter(({ event }) => event === "duplicate-address")).toEqual([
    {
      event: "duplicate-address",
      container: "c1",
      ifname: "eth0",
      network: "net",
      address: "10.5.0.5",
      mac: "06:00:00:00:00:99",
    },
  ]);
  daemon.repairs.mark(undefined);
  await daemon.repairs.pass();
  expect(await wounds(there, daemon)).toEqual([]);
  const next = await add(daemon, "c1", config);
  expect(next.error).toBeUndefined();
  expect(resultOf(next).ips).toMatchObject([{ address: "10.5.0.6/24" }]);
});

test.each([
  ["duplicateCheck: false", { attachment: "macvlan", duplicateCheck: false }],
  ["ipvlan in l3, which has no neighbours", { attachment: "ipvlan", mode: "l3" }],
])("nobody is asked with %s", async (_name, config) => {
  const { there, daemon } = await node();
  there.kernel.neighbours.set(address("10.5.0.5"), mac("06:00:00:00:00:99"));
  expect((await add(daemon, "c1", { ...ON, ...config })).error).toBeUndefined();
});

const refusals: [config: object, code: number, message: string][] = [
  [
    { attachment: "macvlan", master: "eth9" },
    7,
    'master: "eth9" is not a link of the node; there are uplink, sleeping',
  ],
  [
    { attachment: "macvlan", master: undefined },
    7,
    "master: is missing, and the node has no default route whose link could serve; there are uplink, sleeping",
  ],
  [{ attachment: "ipvlan", master: "sleeping" }, 7, 'master: "sleeping" is down, and so are all links on it'],
  [
    { attachment: "vlan", vlanId: 7, master: "dev0", linkInContainer: true },
    7,
    'master: "dev0" is not a link of the container',
  ],
  [{ attachment: "tap", bridge: "br9" }, 7, 'bridge: "br9" is not a link of the container'],
  [{ attachment: "macvlan", mtu: 9_000 }, 7, "mtu: 9000 is not possible on uplink, whose own is 1500"],
  [{ attachment: "macvlan", spoofProtection: true }, 2, "spoofProtection: true is not supported"],
];
test.each(refusals)("%j is refused and nothing is made", async (config, code, message) => {
  const { there, daemon } = await node();
  const reply = await add(daemon, "c1", { ...ON, ...config });
  expect(reply.error?.code).toBe(code);
  expect(reply.error?.msg).toContain(message);
  expect(daemon.core.table.size).toBe(0);
  // A pool that came with the configuration is known from now on.
  daemon.repairs.mark(undefined);
  await daemon.repairs.pass();
  expect(await wounds(there, daemon)).toEqual([]);
});

const rivals: [first: object, second: object, message: string][] = [
  [
    { attachment: "vlan", vlanId: 7 },
    { attachment: "vlan", vlanId: 7 },
    'vlanId: 7 is taken on "uplink": a link carries each VLAN once; it is held by container c1 eth0',
  ],
  [{ attachment: "macvlan" }, { attachment: "ipvlan" }, 'master: "uplink" carries macvlan links'],
  [{ attachment: "macvlan" }, { attachment: "macvlan", mode: "passthru" }, 'mode: "passthru" is not possible'],
  [{ attachment: "ipvlan", mode: "l2" }, { attachment: "ipvlan", mode: "l3" }, 'mode: "l3" is not possible'],
];
test.each(rivals)("after %j, %j is refused", async (first, second, message) => {
  const { there, daemon } = await node();
  expect((await add(daemon, "c1", { ...ON, ...first })).error).toBeUndefined();
  const reply = await add(daemon, "c2", { ...ON, ...second });
  expect(reply.error?.code).toBe(106);
  expect(reply.error?.msg).toContain(message);
  expect(daemon.core.table.size).toBe(1);
  expect(await wounds(there, daemon)).toEqual([]);
});

test("the tables have cases", () => {
  expect(refusals.length).toBeGreaterThan(5);
  expect(rivals.length).toBe(4);
});

test("a shim stays for the next pod, and goes with a full pass when nobody wants it", async () => {
  const { there, daemon } = await node();
  const shims = async () =>
    (await there.kernel.owned()).filter((fact) => fact.type === "link" && fact.kind === "macvlan");
  for (const pod of ["c1", "c2"])
    expect((await add(daemon, pod, { attachment: "macvlan", ...ON })).error).toBeUndefined();
  expect(await shims()).toHaveLength(1);
  for (const pod of ["c1", "c2"]) await daemon.verbs.del(request(pod, ON), patient());
  expect(await shims()).toHaveLength(1);
  daemon.repairs.mark(undefined);
  await daemon.repairs.pass();
  expect(await shims()).toEqual([]);
});
