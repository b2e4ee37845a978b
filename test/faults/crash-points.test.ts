/**
 * Every point of ADD and DEL at which the power may go, the disk may refuse or the kernel may refuse: whatever happened,
 * the next start and one pass of the loop leave a node on which nothing is leaked and everything works again.
 */
import { expect, test } from "@jest/globals";
import { plugCard } from "./card.ts";
import { boot, fuse, type Mishap, patient, request, type World, world, wounds } from "./world.ts";

const PORTS = { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] } };
const SHAPED = { runtimeConfig: { bandwidth: { ingressRate: 1_000_000, egressRate: 1_000_000 } } };
const KEPT = {
  runtimeConfig: {
    "io.kubernetes.cri.pod-annotations": { "selvedge.dev/keep-address": "true", "selvedge.dev/reservation": "vm:db" },
  },
};
const RANGES = { ipam: { ranges: [[{ subnet: "10.5.0.0/24" }]] } };
const NETWORKS: readonly [name: string, config: Readonly<Record<string, unknown>>][] = [
  ["ptp", {}],
  ["ptp with a host port", PORTS],
  ["ptp with bandwidth", SHAPED],
  ["ptp with ranges of its own", RANGES],
  ["ptp with addresses that are kept", KEPT],
  ["bridge with a host port", { attachment: "bridge", bridge: "br0", isGateway: true, ...PORTS }],
  ["bridge with VLANs", { attachment: "bridge", bridge: "br0", isGateway: true, vlan: 5, vlanTrunk: [{ id: 7 }] }],
  ["macvlan", { attachment: "macvlan", master: "uplink" }],
  ["ipvlan", { attachment: "ipvlan", master: "uplink", mode: "l3" }],
  ["VLAN within a VLAN", { attachment: "vlan", master: "uplink", vlanId: 5, outerVlanId: 7 }],
  ["tap", { attachment: "tap", owner: 107 }],
  ["loopback", { attachment: "loopback" }],
  ["three planes", { network: "std", ...PORTS }],
  ["a tenant's network", { network: "apart", ...PORTS }],
  ["two planes, one of a tenant", { network: "mixed", ...PORTS }],
  ["a virtual function", { attachment: "sriov", pf: "ens1", vlan: 7, ipam: { ranges: [[{ subnet: "10.6.0.0/24" }]] } }],
  [
    "a virtual function with its end on a bridge",
    {
      attachment: "sriov",
      pf: "ens1",
      representor: { bridge: "br9", isGateway: true },
      ipam: { ranges: [[{ subnet: "10.6.0.0/24" }]] },
    },
  ],
  ["a virtual function for DPDK", { attachment: "sriov", pf: "ens1", driver: "vfio-pci" }],
  ["ptp with an IPAM of somebody else", { ipam: { type: "fake-ipam" } }],
  [
    "chained",
    {
      ...PORTS,
      prevResult: {
        cniVersion: "1.1.0",
        interfaces: [{ name: "veth1" }, { name: "eth0", sandbox: "/run/netns/c1" }],
        ips: [{ address: "10.9.0.5/24", interface: 1 }],
      },
    },
  ],
];

type Verb = "ADD" | "DEL";
const CASES = (["power", "store", "kernel"] satisfies Mishap[]).flatMap((mishap) =>
  (["ADD", "DEL"] satisfies Verb[]).flatMap((verb) =>
    NETWORKS.map(([name, config]) => [mishap, verb, name, config] as const),
  ),
);

/** A node with a bystander of the same network and somebody else's things. */
async function peopled(config: Readonly<Record<string, unknown>>): Promise<World> {
  const node = world();
  node.kernel.meddle(undefined, { do: "add-link", link: "veth1" });
  node.kernel.meddle(undefined, { do: "add-table", family: "inet", table: "strangers" });
  node.kernel.meddle(undefined, { do: "add-link", link: "uplink" });
  node.kernel.meddle(undefined, { do: "set-link", link: "uplink", up: true });
  plugCard(node.kernel);
  node.kernel.addNamespace("/run/netns/c1");
  node.kernel.addNamespace("/run/netns/bystander");
  const { verbs } = await boot(node);
  const { runtimeConfig: _, prevResult: __, ...plain } = config;
  // A parent carries each VLAN once.
  const apart = typeof plain.vlanId === "number" ? { vlanId: plain.vlanId + 1 } : {};
  expect((await verbs.add(request("bystander", { ...plain, ...apart }), patient())).error).toBeUndefined();
  return node;
}

/** Runs the verb with the mishap at its `at`th step. False when the verb has no such step. */
async function struck(node: World, verb: Verb, config: Readonly<Record<string, unknown>>, mishap: Mishap, at: number) {
  if (verb === "DEL") {
    const { verbs } = await boot(node);
    expect((await verbs.add(request("c1", config), patient())).error).toBeUndefined();
  }
  // The first makes the daemon's own start safe from the mishap.
  const wire = { current: fuse(mishap, Number.POSITIVE_INFINITY) };
  const running = await boot(node, {
    pass: (kind) => wire.current.pass(kind),
    blown: new Promise(() => {}),
    happened: false,
  });
  wire.current = fuse(mishap, at);
  const call = verb === "ADD" ? running.verbs.add : running.verbs.del;
  const reply = await Promise.race([call(request("c1", config), patient()), wire.current.blown]);
  return { happened: wire.current.happened, reply: reply ?? undefined, running };
}

test("there are cases", () => expect(CASES.length).toBe(120));

/** Who comes first after the mishap: the loop, the runtime's DEL, or an ADD of the same container. */
const FIRST = ["loop", "DEL", "ADD"] as const;

/** How many operations of the kernel such an attachment has at least, where that is less than usual: its link, or none. */
const FEW: Readonly<Record<string, number>> = { tap: 1, "VLAN within a VLAN": 1, loopback: 0 };

test.each(CASES)("%s fails in %s: %s", async (mishap, verb, name, config) => {
  const points = new Set<number>();
  for (const first of FIRST) {
    for (let at = 1; ; at++) {
      const node = await peopled(config);
      const { happened, reply, running } = await struck(node, verb, config, mishap, at);
      if (!happened) {
        expect(reply?.error).toBeUndefined();
        break;
      }
      points.add(at);
      // Half of the refusals are lived through by the same daemon, the other half by the next.
      const next = mishap === "power" || at % 2 === 0 ? await boot(node) : running;
      const say = async () => ({ mishap, verb, at, first, wounds: await wounds(node, next) });
      const sane = { mishap, verb, at, first, wounds: [] };
      const loop = async () => {
        next.repairs.mark(undefined);
        await next.repairs.pass();
        expect(await say()).toEqual(sane);
      };
      const asked = async (what: "add" | "del" | "check", who = "c1") =>
        (await next.verbs[what](request(who, config), patient())).error;

      if (first === "loop") await loop();
      if (first === "ADD" && (await asked("add")) !== undefined) {
        // It is attached already: only the answer of its ADD, or the news of its DEL, was lost. Then it is whole.
        await loop();
        expect(await asked("check")).toBeUndefined();
      }
      expect(await asked("del")).toBeUndefined();
      expect(await asked("add")).toBeUndefined();
      await loop();
      expect(await asked("check")).toBeUndefined();
      expect(await asked("del")).toBeUndefined();
      expect(await asked("del", "bystander")).toBeUndefined();
      // What stands for many goes with a pass when nobody is left.
      await loop();
      expect(next.core.table.size).toBe(0);
    }
  }
  expect(points.size).toBeGreaterThanOrEqual(mishap === "store" ? 1 : (FEW[name] ?? 2));
});
