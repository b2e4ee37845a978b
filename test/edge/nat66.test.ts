/** NAT of IPv6 on a router (nat66): where packets go and what is changed in them, by captures on both sides of it. */
import { expect } from "@jest/globals";
import { ip, makeNamespace, removeNamespace } from "../../conformance/namespace.ts";
import { eventually, inside, must } from "../../conformance/program.ts";
import { capture, toldOf } from "../attach/capture.ts";
import { needing } from "../support/requirement.ts";
import { ALONE, makeAlone, ROUTER } from "./alone.ts";
import { PORT, pings, seen, telling } from "./telling.ts";

/** A machine outside of the cluster, and its network. */
const OUTSIDE = "edge-world6";
const outside = (n: string): string => `2001:db8:99::${n}`;
const [CLIENT, OWN] = [outside("9"), outside("fe")];
/** Of the router, besides its own: one that is a pod's, one of a published service, one that a pod leaves by. */
const [ONE, PUBLIC, LEAVING] = [outside("70"), outside("80"), outside("90")];
const fixed = (n: number): string => `fd66::${n}`;
const kept = (name: string, n: number) => ({ name: `vm:${name}`, addresses: [`10.66.250.${n}`, fixed(n)] });
const named = (name: string) => ({ args: { cni: { reservation: `vm:${name}` } } });

/** Behind `eth0` of the router. */
async function makeOutside(): Promise<AsyncDisposable> {
  await makeNamespace(OUTSIDE);
  await ip(ROUTER, `link add eth0 type veth peer name wan netns ${OUTSIDE}`);
  await ip(ROUTER, `addr add ${OWN}/64 dev eth0 nodad`);
  // Nothing of the router's own is sent from these.
  for (const address of [ONE, PUBLIC, LEAVING])
    await ip(ROUTER, `addr add ${address}/128 dev eth0 nodad preferred_lft 0`);
  await ip(ROUTER, "link set eth0 up");
  await ip(OUTSIDE, `addr add ${CLIENT}/64 dev wan nodad`);
  await ip(OUTSIDE, "link set wan up");
  await must(inside(ROUTER, ["/bin/sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"]));
  return { [Symbol.asyncDispose]: () => removeNamespace(OUTSIDE) };
}

needing(...ALONE)(
  "packets of IPv6 go through a router's NAT: one to one, by a fixed address, masqueraded, published",
  async () => {
    await using alone = await makeAlone(
      {
        static: { routes: "pools" },
        nat: {
          oneToOne: [{ outside: ONE, inside: fixed(9), interface: "eth0" }],
          egress: [{ source: `${fixed(10)}/128`, address: LEAVING, interface: "eth0" }],
          masquerade: [{ interface: "eth0" }],
          publish: [{ name: "web", interface: "eth0", address: PUBLIC, port: 443, to: `[${fixed(11)}]:${PORT}` }],
        },
      },
      {},
      { defaults: { ipMasq: false }, reservations: [kept("one", 9), kept("leaving", 10), kept("web", 11)] },
    );
    await using _world = await makeOutside();
    const { node } = alone;
    const one = await node.add("nat66-one", named("one"));
    const leaving = await node.add("nat66-leaving", named("leaving"));
    const web = await node.add("nat66-web", named("web"));
    const plain = await node.add("nat66-plain");
    for (const pod of [one, leaving, web, plain])
      await eventually(`the router reaches ${pod.id}`, () => pings(ROUTER, pod.address[6]), 60_000);
    const rules = async () => await must(inside(ROUTER, ["nft", "list", "table", "ip6", "vyos_nat"]));
    await eventually("the router has its rules", async () => (await rules()).includes(PUBLIC) || undefined, 60_000);

    await using _outside = await telling(OUTSIDE, "::");
    await using _one = await telling(one.id, "::");
    await using _web = await telling(web.id, "::");
    await using before = await capture(ROUTER);
    await using after = await capture(web.id);
    await using wire = await capture(OUTSIDE);

    // Published: the address and the port outside lead to those of the pod, which sees who asks.
    expect(await seen(OUTSIDE, PUBLIC, 443)).toBe(CLIENT);
    await toldOf(before, `eth0 in ${CLIENT} ${PUBLIC}`);
    await toldOf(after, `eth0 in ${CLIENT} ${fixed(11)}`);

    // One to one, both ways; an address to leave by; the router's own for everybody else.
    expect(await seen(OUTSIDE, ONE)).toBe(CLIENT);
    expect(await seen(one.id, CLIENT)).toBe(ONE);
    expect(await seen(leaving.id, CLIENT)).toBe(LEAVING);
    expect(await seen(plain.id, CLIENT)).toBe(OWN);
    await toldOf(before, ...[fixed(9), fixed(10), plain.address[6]].map((source) => `lan in ${source} ${CLIENT}`));
    const outward = await toldOf(wire, ...[ONE, LEAVING, OWN].map((source) => `wan in ${source} ${CLIENT}`));
    expect(outward.filter((line) => line.startsWith("wan in fd66:"))).toEqual([]);
  },
  180_000,
);
